// @ts-check
// What is done with the open dialog now and then, and comes when it is asked for.
import { _ } from 'hub/i18n';
import { act, complain, fragment, hideMenus, toast } from 'hub/api';
import { findObjects } from 'hub/palette';
import { ask, choose, openSheet } from 'hub/sheet';
import { change } from 'hub/inbox/acts';
import { current, entries } from 'hub/inbox/thread';

export { addAddress } from 'hub/inbox/address';

/** Change what the dialog is about. */
export async function subject(was) {
  hideMenus();
  const text = await ask(_('Subject'), was);
  if (text !== null) change('subject', { subject: text });
}

/** Say what a message is about. */
export async function label(message, was) {
  hideMenus();
  const said = await ask(_('What is it about?'), was, _('Your word goes before a classifier.'), ['sales', 'consultation', 'complaint']);
  if (said !== null) change('label', { message, label: said });
}

/** Take the messages of another dialog into this one, or undo a merge that was made. */
export async function merge(made = '') {
  hideMenus();
  if (made) { apart(made); return; }
  const id = current();
  const one = await choose(_('Merge with another dialog'), _('Whose dialog? Its messages come here.'), (text, done) => {
    const only = (list) => done(list.filter((each) => each.href?.startsWith('/inbox/') && each.href !== '/inbox/' + id));
    if (text.length < 2) done([]); else findObjects(text, [], only);
  });
  const other = one?.href?.match(/\d+/)?.[0];
  if (!other) return;
  try {
    const { result } = await act('merge', { dialog: id, other });
    toast(_('Merged: its messages stand here now'), () => apart(result));
  } catch (error) { complain(error); }
}

async function apart(merge) {
  try { await act('apart', { merge }); toast(_('They are two dialogs again. What was written since stays here.')); } catch (error) { complain(error); }
}

/** Make a dialog of its own out of a message and all after it; without one it is asked for, the newest first. */
export async function split(message = '') {
  hideMenus();
  const id = current();
  let from = message;
  if (!from) {
    const all = [...(entries()?.querySelectorAll('.msg[data-message]') || [])].slice(1).reverse();
    const offered = all.map((one) => ({ message: one.getAttribute('data-message') || '', label: one.querySelector('.text')?.textContent?.slice(0, 90) || '…', group: one.querySelector('time')?.textContent || '' }));
    const one = await choose(_('Make a new dialog from here'), _('From which message on?'), (text, done) => done(offered.filter((each) => each.label.toLowerCase().includes(text.toLowerCase()))));
    if (!one) return;
    from = one.message;
  }
  const text = await ask(_('Make a new dialog from here'), '', _('This message and all after it move to a new dialog. Its subject:'));
  if (text === null) return;
  const made = await change('split', { dialog: id, message: from, subject: text }, null, _('A new dialog was made'));
  if (made) document.dispatchEvent(new CustomEvent('hub:open', { detail: { dialog: String(made) } }));
}

/** Show how often, and with what answer, a message was tried. */
export async function attempts(message) {
  try { const html = await fragment('/inbox/message/' + message + '/attempts'); openSheet(_('Attempts'), 'wide').body.innerHTML = html; } catch (error) { complain(error); }
}

/** Show a letter as its sender drew it. */
export function frame(place, message) {
  const box = document.createElement('iframe');
  // Of our own origin, so that pictures of the letter reach us with the session; never scripts.
  box.setAttribute('sandbox', 'allow-same-origin allow-popups allow-popups-to-escape-sandbox');
  box.addEventListener('load', () => { box.style.height = Math.min(900, Math.max(120, (box.contentDocument?.documentElement.offsetHeight || 360) + 20)) + 'px'; });
  box.setAttribute('referrerpolicy', 'no-referrer');
  box.title = _('The original letter');
  box.src = '/mail/' + message;
  place.append(box);
}
