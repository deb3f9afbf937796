// @ts-check
// The inbox: the list that is never re-ordered under the pointer, the open dialog, the keys.
import { loadTexts } from 'hub/i18n';

await loadTexts();
// The keys of every page first.
await import('hub/app');
const { startInbox } = await import('hub/inbox/list');
startInbox();
document.documentElement.dataset.ready = 'inbox';
