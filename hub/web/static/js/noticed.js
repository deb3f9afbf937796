// @ts-check
// Something happened that this user should know, wherever he looks.
import { _ } from 'hub/i18n';
import { show } from 'hub/inbox/notify';
import { isLeader } from 'hub/live';

const WAIT = 2000;
let told = 0;
const TOLD = {
  'request.assigned': _('A request is yours now'),
  'request.deadline_near': _('A deadline is near'),
  'request.deadline_missed': _('A deadline was missed'),
  'task.assigned': _('A task is yours now'),
  'task.reminder': _('A task is due'),
  'task.review': _('A task waits for your check'),
  'task.returned': _('A task came back to you'),
  'dialog.assigned': _('A colleague gave you a dialog'),
  'dialog.mentioned': _('A colleague mentions you in a note'),
  'rule.paused': _('A rule of yours paused'),
  'rule.told': _('A rule calls you'),
  'rule.digest': _('Your plan for today'),
};

// The worker says it better, and to whoever has closed the page: once is enough.
navigator.serviceWorker?.addEventListener('message', () => { told = Date.now(); });

/** Tell of a notice, unless the worker does within a moment. */
export function notifyNotice(kind) {
  if (!isLeader() || document.hasFocus()) return;
  setTimeout(() => {
    if (Date.now() - told > WAIT * 2) show(TOLD[kind] || _('Something new for you'), '', 'notice', () => { location.href = '/notices'; });
  }, WAIT);
}
