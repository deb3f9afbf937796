// @ts-check
// Quick replies: a list under the keyboard's hands after a / in the answer, with the reply as this
// client would read it beside it. What is written to by letters may have the reply as HTML: it goes
// with the answer as long as the reply's own words stand in it unchanged.
import { _ } from 'hub/i18n';
import { chip, complain, element, post, toast } from 'hub/api';
import { area, begun, box, OPEN, unfilled } from 'hub/inbox/replies';

const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
let current = () => '';
/** @type {any[]} */
let found = [];
let chosen = 0;
let asked = 0;
let whole = false;
/** What the last message of the answer began as. */
let taken = '';

const letter = () => /** @type {HTMLElement | null} */ (pane.querySelector('#pending [data-html]'));

function plain(text) {
  const node = document.createElement('i');
  node.textContent = text;
  return node.innerHTML.replaceAll('\n', '<br>');
}

/** What the answer began as, and its HTML with what was written before and after it. */
export function takeReply(words) {
  const suggested = taken;
  taken = '';
  const { html = '', twin = '' } = letter()?.dataset || {};
  const at = html ? words.indexOf(twin) : -1;
  if (at < 0) return { suggested };
  return { suggested, html: plain(words.slice(0, at)) + html + plain(words.slice(at + twin.length)) };
}

/** The answer was changed: where it no longer is the reply, it leaves without the reply's HTML. */
export function changed(text) {
  const rich = letter();
  if (!rich || text.value.includes(rich.dataset.twin || '')) return;
  rich.remove();
  if (text.value) toast(_('You changed the reply: it leaves as plain text.'));
}

/** Close the list. */
export function close() {
  asked += 1;
  whole = false;
  const one = box();
  if (one) one.hidden = true;
  area()?.removeAttribute('aria-activedescendant');
}

/** The button: everything, favourites first, then what fits the client's last words. */
export function openAll() {
  whole = true;
  area()?.focus();
  ask('');
}

async function fetchReplies(words) {
  return (await post('/inbox/dialog/' + current() + '/replies', { text: words })).replies;
}

/** Look for words and show what is found. */
export async function ask(words) {
  const mine = asked += 1;
  try {
    const replies = await fetchReplies(words);
    if (mine !== asked) return;
    found = replies;
    chosen = 0;
    draw(words);
  } catch (error) { if (whole) complain(error); }
}

function part(kind, text) { const node = document.createElement('span'); node.className = kind; node.textContent = text; return node; }

function draw(words) {
  const one = box();
  const list = one?.querySelector('ul');
  const text = area();
  if (!one || !list || !text) return;
  if (!found.length && words && !whole) { close(); return; }
  list.replaceChildren(...found.map((reply, n) => {
    const item = document.createElement('li');
    item.setAttribute('role', 'option');
    item.id = 'reply-' + n;
    if (reply.shortcut) item.append(part('short', '/' + reply.shortcut));
    item.append(part('title', reply.title));
    if (reply.favourite) item.append(part('label', _('favourite')));
    if (reply.reason === 'fits') item.append(part('label good', _('fits')));
    if (reply.slot) item.append(part('cap', 'Alt ' + reply.slot));
    item.append(part('muted', reply.text.replace(/\s+/g, ' ').slice(0, 90)));
    item.addEventListener('mousedown', (event) => { event.preventDefault(); pick(n); });
    item.addEventListener('mousemove', () => { if (chosen !== n) { chosen = n; mark(); } });
    return item;
  }));
  const empty = /** @type {HTMLElement | null} */ (one.querySelector('[data-empty]'));
  if (empty) empty.hidden = Boolean(found.length);
  one.hidden = false;
  mark();
}

function mark() {
  const one = box();
  const reply = found[chosen];
  const items = [...(one?.querySelectorAll('li') || [])];
  items.forEach((item, n) => item.setAttribute('aria-selected', String(n === chosen)));
  items[chosen]?.scrollIntoView({ block: 'nearest' });
  if (items.length) area()?.setAttribute('aria-activedescendant', 'reply-' + chosen);
  const view = one?.querySelector('[data-preview]');
  if (!view) return;
  view.replaceChildren();
  if (!reply) return;
  const words = part('words', '');
  // What is not filled in stands out, here as in the answer.
  let rest = reply.text;
  for (let left = rest.match(OPEN); left; left = rest.match(OPEN)) {
    words.append(rest.slice(0, left.index), element('<mark></mark>'));
    /** @type {HTMLElement} */ (words.lastChild).textContent = left[0];
    rest = rest.slice((left.index || 0) + left[0].length);
  }
  words.append(rest);
  view.append(words);
  if (reply.html) view.append(part('chip', _('As a letter')));
  for (const name of reply.files) view.append(part('chip', name));
  for (const button of reply.buttons) view.append(part('chip', '▢ ' + button.label));
  if (reply.template) view.append(part('muted small', _('After the reply window: template {name}', { name: reply.template })));
}

/** Put a reply into the answer. */
function pick(n) {
  const reply = found[n];
  const text = area();
  if (!reply || !text) return;
  const words = begun(text);
  const closed = /** @type {HTMLButtonElement | null} */ (pane.querySelector('#send'))?.disabled;
  const from = whole || words === null ? text.selectionStart : text.selectionStart - words.length - 1;
  close();
  if (reply.template && closed) {
    text.setRangeText('', from, text.selectionStart, 'end');
    import('hub/inbox/messenger_sheets').then((all) => all.templates(current(), reply));
    return;
  }
  insert(text, reply, from);
}

async function insert(text, reply, from) {
  text.setRangeText(reply.text, from, text.selectionStart, 'end');
  taken = reply.key;
  text.dispatchEvent(new Event('input', { bubbles: true }));
  text.focus();
  const pending = pane.querySelector('#pending');
  letter()?.remove();
  if (reply.html) pending?.append(chip(_('As a letter'), 'drop-file', { html: reply.html, twin: reply.text.trim() }));
  for (const one of reply.buttons) pending?.append(chip('▢ ' + one.label, 'drop-file', { button: one.label, ...(one.url ? { url: one.url } : {}) }));
  if (unfilled(text)) toast(_('Fill in what is marked: {names}', { names: reply.missing.join(', ') }));
  if (!reply.attach) return;
  try {
    const kept = await post(reply.attach + '?dialog=' + current(), {});
    for (const one of kept.files) pending?.append(chip(one.name, 'drop-file', { file: one.id }));
    text.dispatchEvent(new Event('input', { bubbles: true }));
  } catch (error) { complain(error); }
}

/** A key while the list is open; gives whether it was for the list. */
export function key(event) {
  if (event.code === 'ArrowDown' || event.code === 'ArrowUp') {
    if (found.length) chosen = (chosen + (event.code === 'ArrowDown' ? 1 : -1) + found.length) % found.length;
    mark();
  } else if ((event.code === 'Enter' || event.code === 'NumpadEnter' || event.code === 'Tab') && !event.ctrlKey && found.length) pick(chosen);
  else if (event.code === 'Escape') close();
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

/** Put the reply of a key into the answer. */
export async function slot(text, n) {
  try {
    const reply = (await fetchReplies('')).find((one) => one.slot === n);
    if (reply) insert(text, reply, text.selectionStart); else toast(_('No quick reply has the key Alt+{n} yet.', { n }));
  } catch (error) { complain(error); }
}

/** Say which dialog is open. */
export function startPicker(given) { current = given; }
