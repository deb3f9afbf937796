// @ts-check
// Quick replies: a list under the keyboard's hands after a / in the answer, with the reply as this
// client would read it beside it, and Alt+1 to Alt+9 for the commonest.
import { _ } from 'hub/i18n';
import { chip, complain, element, post, toast } from 'hub/api';

const WAIT_MS = 90;
const OPEN = /\{\{\s*([a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)+|today|company|working_hours)[^{}]*\}\}/;
const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
let current = () => '';
/** @type {any[]} */
let found = [];
let chosen = 0;
let asked = 0;
let timer = 0;
let whole = false;
/** What the last message of the answer began as. */
let taken = { key: '', template: '' };

const area = () => /** @type {HTMLTextAreaElement | null} */ (pane.querySelector('#text'));
const box = () => /** @type {HTMLElement | null} */ (pane.querySelector('#reply-picker'));
const isNote = () => /** @type {HTMLElement | null} */ (pane.querySelector('#composer'))?.dataset.mode === 'note';

/** The suggestion that the answer began as, for the hub to count; it is asked for once. */
export function takeKey() { const key = taken.key; taken = { key: '', template: '' }; return key; }

/** Select the first placeholder that is not filled in; gives whether there is one. */
export function unfilled(text) {
  const left = text?.value.match(OPEN);
  if (!text || !left) return false;
  text.focus();
  text.setSelectionRange(left.index || 0, (left.index || 0) + left[0].length);
  return true;
}

/** What stands between the / and the caret, null where nothing is asked for. */
function begun(text) {
  const match = text.value.slice(0, text.selectionStart).match(/(^|\s)\/([^\n/]{0,40})$/);
  return match ? match[2] : null;
}

const isOpen = () => { const one = box(); return Boolean(one && !one.hidden); };

/** Close the list. */
export function closeReplies() {
  clearTimeout(timer);
  asked += 1;
  whole = false;
  const one = box();
  if (one) one.hidden = true;
  area()?.removeAttribute('aria-activedescendant');
}

/** Something was typed: look for what follows the /. */
export function offerReplies(text) {
  const words = isNote() ? null : begun(text);
  if (words === null) { if (isOpen()) closeReplies(); return; }
  clearTimeout(timer);
  timer = window.setTimeout(() => ask(words), WAIT_MS);
}

/** The button: everything, the client's last words first. */
export function openReplies() {
  whole = true;
  area()?.focus();
  ask('');
}

async function fetchReplies(words) {
  return (await post('/inbox/dialog/' + current() + '/replies', { text: words })).replies;
}

async function ask(words) {
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
  if (!found.length && words && !whole) { closeReplies(); return; }
  list.replaceChildren(...found.map((reply, n) => {
    const item = document.createElement('li');
    item.setAttribute('role', 'option');
    item.id = 'reply-' + n;
    if (reply.shortcut) item.append(part('short', '/' + reply.shortcut));
    item.append(part('title', reply.title));
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
  for (const name of reply.files) view.append(part('chip', name));
  for (const button of reply.buttons) view.append(part('chip', '▢ ' + button.label));
  if (reply.template) view.append(part('muted small', _('After the reply window: template {name}', { name: reply.template })));
}

/** Put a reply into the answer. */
async function pick(n) {
  const reply = found[n];
  const text = area();
  if (!reply || !text) return;
  const words = begun(text);
  const closed = /** @type {HTMLButtonElement | null} */ (pane.querySelector('#send'))?.disabled;
  const from = whole || words === null ? text.selectionStart : text.selectionStart - words.length - 1;
  closeReplies();
  if (reply.template && closed) {
    text.setRangeText('', from, text.selectionStart, 'end');
    import('hub/inbox/messenger_sheets').then((all) => all.templates(current()));
    return;
  }
  insert(text, reply, from);
}

async function insert(text, reply, from) {
  text.setRangeText(reply.text, from, text.selectionStart, 'end');
  taken = { key: reply.key, template: reply.template };
  text.dispatchEvent(new Event('input', { bubbles: true }));
  text.focus();
  const pending = pane.querySelector('#pending');
  for (const one of reply.buttons) pending?.append(chip('▢ ' + one.label, 'drop-file', { button: one.label, ...(one.url ? { url: one.url } : {}) }));
  if (unfilled(text)) toast(_('Fill in what is marked: {names}', { names: reply.missing.join(', ') }));
  if (!reply.attach) return;
  try {
    const kept = await post(reply.attach + '?dialog=' + current(), {});
    for (const one of kept.files) pending?.append(chip(one.name, 'drop-file', { file: one.id }));
    text.dispatchEvent(new Event('input', { bubbles: true }));
  } catch (error) { complain(error); }
}

/** A key of the composer; gives whether it was for the list. */
export function replyKey(text, event) {
  if (event.altKey && !event.ctrlKey && /^Digit[1-9]$/.test(event.code) && !isNote()) {
    event.preventDefault();
    slot(text, Number(event.code.slice(5)));
    return true;
  }
  if (!isOpen()) return false;
  if (event.code === 'ArrowDown' || event.code === 'ArrowUp') {
    if (found.length) chosen = (chosen + (event.code === 'ArrowDown' ? 1 : -1) + found.length) % found.length;
    mark();
  } else if ((event.code === 'Enter' || event.code === 'NumpadEnter' || event.code === 'Tab') && !event.ctrlKey && found.length) pick(chosen);
  else if (event.code === 'Escape') closeReplies();
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

async function slot(text, n) {
  try {
    const reply = (await fetchReplies('')).find((one) => one.slot === n);
    if (reply) insert(text, reply, text.selectionStart); else toast(_('No quick reply has the key Alt+{n} yet.', { n }));
  } catch (error) { complain(error); }
}

/** Start to listen. */
export function startReplies(given) {
  current = given;
  pane.addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('[data-do="replies"]');
    if (button) { if (isOpen()) closeReplies(); else openReplies(); }
  });
  pane.addEventListener('focusout', (event) => { if (/** @type {HTMLElement} */ (event.target).id === 'text') window.setTimeout(() => { if (document.activeElement !== area() && !box()?.contains(document.activeElement)) closeReplies(); }, 150); });
}
