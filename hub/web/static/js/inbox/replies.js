// @ts-check
// Where quick replies begin: a / in the answer, the button, Alt+1 to Alt+9. What shows them comes
// with the first of these.
import { complain } from 'hub/api';

/** A placeholder that is not filled in. */
export const OPEN = /\{\{\s*([a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)+|today|company|working_hours)[^{}]*\}\}/;
const WAIT_MS = 90;
const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
let current = () => '';
let timer = 0;
/** @type {typeof import('hub/inbox/reply_picker') | null} */
let picker = null;

/** The text of the answer. */
export const area = () => /** @type {HTMLTextAreaElement | null} */ (pane.querySelector('#text'));
/** The list with its preview. */
export const box = () => /** @type {HTMLElement | null} */ (pane.querySelector('#reply-picker'));
/** Whether the list is open. */
export const isOpen = () => Boolean(box()?.hidden === false);
const isNote = () => /** @type {HTMLElement | null} */ (pane.querySelector('#composer'))?.dataset.mode === 'note';

/** Do something with the list, which is fetched once. @param {(all: typeof import('hub/inbox/reply_picker')) => void} act */
function withPicker(act) {
  if (picker) act(picker);
  else import('hub/inbox/reply_picker').then((all) => { picker = all; all.startPicker(current); act(all); }).catch(complain);
}

/** What the answer began as, for the hub to count (asked for once), and its HTML where it has one. */
export const takeReply = (words) => picker?.takeReply(words) || { suggested: '' };

/** Select the first placeholder that is not filled in; gives whether there is one. */
export function unfilled(text) {
  const left = text?.value.match(OPEN);
  if (!text || !left) return false;
  text.focus();
  text.setSelectionRange(left.index || 0, (left.index || 0) + left[0].length);
  return true;
}

/** What stands between the / and the caret, null where nothing is asked for. */
export function begun(text) {
  const match = text.value.slice(0, text.selectionStart).match(/(^|\s)\/([^\n/]{0,40})$/);
  return match ? match[2] : null;
}

/** Close the list. */
export function closeReplies() {
  clearTimeout(timer);
  picker?.close();
}

/** Something was typed: look for what follows the /. */
export function offerReplies(text) {
  picker?.changed(text);
  const words = isNote() ? null : begun(text);
  if (words === null) { if (isOpen()) closeReplies(); return; }
  clearTimeout(timer);
  timer = window.setTimeout(() => withPicker((all) => { if (begun(text) === words) all.ask(words); }), WAIT_MS);
}

/** A key of the composer; gives whether it was for the list. */
export function replyKey(text, event) {
  if (event.altKey && !event.ctrlKey && /^Digit[1-9]$/.test(event.code) && !isNote()) {
    event.preventDefault();
    withPicker((all) => all.slot(text, Number(event.code.slice(5))));
    return true;
  }
  return isOpen() && Boolean(picker?.key(event));
}

/** Start to listen. */
export function startReplies(given) {
  current = given;
  pane.addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('[data-do="replies"]');
    if (button) { if (isOpen()) closeReplies(); else withPicker((all) => all.openAll()); }
  });
  pane.addEventListener('focusin', (event) => { if (/** @type {HTMLElement} */ (event.target).id === 'text') withPicker(() => {}); });
  pane.addEventListener('focusout', (event) => { if (/** @type {HTMLElement} */ (event.target).id === 'text') window.setTimeout(() => { if (document.activeElement !== area() && !box()?.contains(document.activeElement)) closeReplies(); }, 150); });
}
