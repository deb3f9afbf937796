// @ts-check
// Who else looks at a dialog or writes in it: in the header, above the composer, in the list.
import { _ } from 'hub/i18n';
import { post } from 'hub/api';
import { say } from 'hub/inbox/redraw';

const TYPING_MS = 6000;
const VIEWING_MS = 60000;
/** Dialog, then person. @type {Map<string, Map<string, {name: string, kind: string, at: number}>>} */
const present = new Map();
let open = () => '';

function alive(id) {
  const found = present.get(id);
  if (!found) return [];
  const now = Date.now();
  for (const [key, one] of found) if (now - one.at > (one.kind === 'typing' ? TYPING_MS : VIEWING_MS)) found.delete(key);
  if (!found.size) present.delete(id);
  return [...found.entries()];
}

/** Tell the others what one does here. */
export function tell(kind, dialog, more = {}) {
  if (dialog) post('/signal', { kind, dialog, ...more }).catch(() => {});
}

/** Take a signal of the stream. */
export function takeSignal(item) {
  const key = item.contact ? 'contact' : item.user;
  const found = present.get(item.dialog) || new Map();
  if (item.kind === 'left') found.delete(key);
  else found.set(key, { name: item.name, kind: item.kind === 'typing' ? 'typing' : 'viewing', at: Date.now() });
  present.set(item.dialog, found);
  drawPresence(item.dialog);
}

/** Somebody's message has arrived: he does not type any more. */
export function stopped(dialog, key) {
  if (present.get(dialog)?.delete(key)) drawPresence(dialog);
}

/** Draw who is in a dialog: in its row, and around the open one. */
export function drawPresence(id) {
  const list = alive(id);
  const here = document.querySelector('#row-' + id + ' [data-here]');
  const others = list.filter(([key]) => key !== 'contact').map(([, one]) => one);
  const writer = others.find((one) => one.kind === 'typing');
  const client = list.find(([key, one]) => key === 'contact' && one.kind === 'typing');
  const words = writer ? _('{name} is answering', { name: writer.name }) : client ? _('is typing…') : '';
  const names = others.map((one) => one.name).join(', ');
  say(here, words || (names && names + ' ' + _('is here')));
  here?.classList.toggle('strong', Boolean(words));
  if (id !== open()) return;
  const pane = document.getElementById('thread-pane');
  const typing = pane?.querySelector('#typing');
  if (typing) typing.textContent = client ? _('The client is typing…') : '';
  say(pane?.querySelector('[data-presence]'), writer ? _('{name} is answering', { name: writer.name }) : names && names + ' ' + _('looks at this too'));
  const warn = pane?.querySelector('#colleague');
  warn?.toggleAttribute('hidden', !writer);
  const place = warn?.querySelector('[data-text]');
  if (place && writer) place.textContent = _('{name} is writing an answer right now.', { name: writer.name });
}

/** Start to forget those who are silent. */
export function startPresence(current) {
  open = current;
  setInterval(() => { for (const id of [...present.keys()]) drawPresence(id); const now = open(); if (now) drawPresence(now); }, 3000);
}
