// @ts-check
// Something happened that this user should know, wherever he looks.
import { show } from 'hub/inbox/notify';
import { isLeader } from 'hub/live';

const WAIT = 2000;
let told = 0;

// The worker says it better, and to whoever has closed the page: once is enough.
navigator.serviceWorker?.addEventListener('message', () => { told = Date.now(); });

/** Tell it, unless the worker does within a moment. */
export function notifyNotice(text) {
  if (!isLeader() || document.hasFocus()) return;
  setTimeout(() => {
    if (Date.now() - told > WAIT * 2) show(text, '', 'notice', () => { location.href = '/notices'; });
  }, WAIT);
}
