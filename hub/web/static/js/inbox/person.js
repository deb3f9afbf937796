// @ts-check
// Who the person of the open dialog is: everything of theirs in one stream, who they may be, what they told.
import { _ } from 'hub/i18n';
import { act, complain, element, fragment, hideMenus, toast } from 'hub/api';
import { complainOfAddress } from 'hub/inbox/address';
import { current, refresh } from 'hub/inbox/thread';

const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));

/** Show the one dialog, or everything of its person. */
export async function togglePerson() {
  hideMenus();
  const button = pane.querySelector('[data-do="person"][aria-pressed]');
  const stream = /** @type {HTMLElement | null} */ (pane.querySelector('#person-entries'));
  const entries = /** @type {HTMLElement | null} */ (pane.querySelector('#entries'));
  if (!button || !stream || !entries) return;
  const on = button.getAttribute('aria-pressed') !== 'true';
  try {
    if (on) stream.replaceChildren(element(await fragment('/inbox/dialog/' + current() + '/person')));
  } catch (error) { complain(error); return; }
  button.setAttribute('aria-pressed', String(on));
  stream.hidden = !on;
  entries.hidden = on;
  const log = pane.querySelector('#log');
  if (log) log.scrollTop = log.scrollHeight;
}

async function older(button) {
  const root = button.closest('[data-person]');
  try {
    const more = element(await fragment('/inbox/dialog/' + current() + '/person?until=' + encodeURIComponent(button.dataset.until)));
    button.closest('p')?.remove();
    root?.before(more);
  } catch (error) { complain(error); }
}

async function same(button) {
  const survivor = button.dataset.same, merged = button.dataset.mine;
  try {
    const answer = await act('same', { survivor, merged });
    toast(_('The cards are one now.'), () => act('unmerge', { merge: answer.result }).then(() => { toast(_('The merge was undone: they are two again.')); refresh(); }).catch(complain));
    button.closest('.suggestion')?.remove();
    refresh();
  } catch (error) { complain(error); }
}

// The card is drawn anew only while nobody is in it: the row goes, and the focus with it.
async function settle(button, verb, body) {
  try { await act(verb, body); button.closest('.suggestion')?.remove(); refresh(); } catch (error) { complainOfAddress(error); }
}

/** Do what one of the buttons says. @param {HTMLElement} button */
export function press(button) {
  const data = button.dataset;
  if (data.do === 'person') togglePerson();
  else if (data.do === 'person-older') older(button);
  else if (data.same) same(button);
  else if (data.other) settle(button, 'not-same', { a: data.mine, b: data.other });
  else if (data.said) settle(button, 'said', { said: data.said, take: !!data.take });
}
