// @ts-check
// The inbox: the list that is never re-ordered under the pointer, the open dialog, the keys.
import { loadTexts } from 'hub/i18n';

await loadTexts();
const { startInbox } = await import('hub/inbox/list');
startInbox();
// What a key may open a moment later: it must be there before the next key is pressed.
Promise.all([import('hub/sheet'), import('hub/palette')]).catch(() => {}).then(() => { document.documentElement.dataset.ready = 'inbox'; });
