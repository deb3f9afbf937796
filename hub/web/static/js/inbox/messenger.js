// @ts-check
// What messengers add to the composer and the bubbles: answering one message, changing and taking
// back, reactions, buttons, templates, the reply window, and what a text costs.
import { _ } from 'hub/i18n';
import { act, complain, hideMenus, post } from 'hub/api';

const MEASURE_MS = 400;
const SHORT_US = 4 * 3600e3;
const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
// Templates, buttons and earlier texts come when somebody wants them.
const sheets = () => import('hub/inbox/messenger_sheets');
let current = () => '';
let chosen = '';
let before = '';
let measuring = 0;
let ticking = 0;

const form = () => /** @type {HTMLFormElement | null} */ (pane.querySelector('#composer'));
const area = () => /** @type {HTMLTextAreaElement | null} */ (pane.querySelector('#text'));
const bar = () => /** @type {HTMLElement | null} */ (pane.querySelector('#quoting'));
const isNote = () => form()?.dataset.mode === 'note';
const wordsOf = (id) => /** @type {HTMLElement | null} */ (pane.querySelector('#m-' + id + ' .bubble > .text'));
const textOf = (id) => wordsOf(id)?.textContent || '';
const nameOf = (id) => /** @type {HTMLElement | null} */ (pane.querySelector('#m-' + id))?.dataset.author || '';

// -- the reply window -----------------------------------------------------------------------------

/** The reply window counts down; when it is closed, only a template can be sent. */
export function windowClock() {
  clearTimeout(ticking);
  const one = form();
  const place = /** @type {HTMLElement | null} */ (pane.querySelector('#window'));
  const small = pane.querySelector('#left');
  const send = /** @type {HTMLButtonElement | null} */ (pane.querySelector('#send'));
  if (!one || !place || !send) return;
  const end = Number(one.dataset.window || 0) / 1000;
  const left = end - Date.now();
  const closed = Boolean(end) && left <= 0;
  place.hidden = !end || isNote() || left > SHORT_US;
  send.disabled = closed && !isNote() && !editing();
  const words = place.querySelector('[data-text]');
  if (words) words.textContent = closed ? _('The reply window is closed: only a template can be sent until the client writes.') : _('{n} min left to answer', { n: Math.ceil(left / 60000) });
  if (small) small.textContent = end && left > SHORT_US && !isNote() ? _('{n} h left to answer', { n: Math.floor(left / 3600e3) }) : '';
  // It closes while somebody writes: said in that very moment, and what was written stays.
  if (end) ticking = window.setTimeout(windowClock, closed ? 30000 : Math.min(30000, Math.max(200, left)));
}

/** The client wrote, or the hub says that the window is over. */
export function takeWindow(value) {
  const one = form();
  if (!one || one.dataset.window === '0' || !one.dataset.window) return;
  one.dataset.window = value;
  windowClock();
}

// -- what a text costs ------------------------------------------------------------------------------

/** Ask the channel what a text comes to, a moment after the last key. */
export function measure(place) {
  clearTimeout(measuring);
  const text = area();
  if (!form()?.dataset.measures || !text || isNote() || !text.value) return false;
  measuring = window.setTimeout(async () => {
    const id = current();
    try {
      const found = await post('/inbox/dialog/' + id + '/measure', { text: text.value });
      if (current() !== id || !found.parts) return;
      const used = found.limit ? found.units + ' / ' + found.limit : '';
      place.textContent = [used, found.encoding, _('parts: {n}', { n: found.parts }), found.cost].filter(Boolean).join(' · ');
    } catch { /* counting is a help, not a need */ }
  }, MEASURE_MS);
  return true;
}

// -- answering one message, and changing one of ours ----------------------------------------------------

/** The message that is being changed, "" while a new one is written. */
export const editing = () => bar()?.dataset.edits || '';

/** What goes with the text: the message it answers, the buttons below it. */
export function more() {
  const buttons = [...pane.querySelectorAll('#pending [data-button]')].map((one) => ({ label: one.getAttribute('data-button'), url: one.getAttribute('data-url') || '' }));
  const answers = bar()?.dataset.answers || '';
  return { ...(buttons.length ? { buttons } : {}), ...(answers ? { reply_to: answers } : {}) };
}

function show(words) {
  const box = bar();
  const place = box?.querySelector('[data-text]');
  if (!box || !place) return;
  place.textContent = words;
  box.hidden = !words;
  windowClock();
}

/** Answer this message, and let the client see which. */
export function answers(id) {
  const box = bar();
  if (!box) return;
  unquote();
  box.dataset.answers = id;
  show(_('Answering {name}: {text}', { name: nameOf(id), text: textOf(id).slice(0, 120) }));
  area()?.focus();
}

function edit(id) {
  const box = bar();
  const text = area();
  if (!box || !text) return;
  unquote();
  box.dataset.edits = id;
  before = text.value;
  text.value = wordsOf(id)?.dataset.said || textOf(id);
  show(_('Changing a message that the client has'));
  text.focus();
}

/** Write a new message again. */
export function unquote() {
  const box = bar();
  const text = area();
  if (!box) return;
  if (box.dataset.edits && text) { text.value = before; before = ''; }
  delete box.dataset.edits;
  delete box.dataset.answers;
  show('');
}

/** Send the changed text of a message. */
export async function finishEdit(words) {
  const id = editing();
  if (!words) return;
  try {
    await act('edit', { message: id, text: words });
    unquote();
  } catch (error) { complain(error); }
}

// -- what stands out --------------------------------------------------------------------------------

const KEYS = { KeyB: '*', KeyI: '_', KeyS: '~' };

/** Put a sign on both sides of what is chosen, or take it away again; a link asks for its address. */
function mark(sign) {
  const text = area();
  if (!text || isNote()) return;
  const { selectionStart: from, selectionEnd: to } = text;
  const words = text.value.slice(from, to).trim();
  const begin = from + Math.max(0, text.value.slice(from, to).search(/\S/));
  const end = begin + words.length;
  text.focus();
  if (sign === '[') {
    text.setRangeText('[' + words + '](https://)', begin, end, 'end');
    const place = words ? text.selectionEnd - 1 : begin + 1;
    text.setSelectionRange(place, place);
  } else if (words && text.value[begin - 1] === sign && text.value[end] === sign) {
    text.setRangeText(words, begin - 1, end + 1, 'select');
  } else {
    text.setRangeText(sign + words + sign, begin, end, 'end');
    text.setSelectionRange(begin + 1, end + 1);
  }
  text.dispatchEvent(new Event('input', { bubbles: true }));
}

function key(event) {
  if (/** @type {HTMLElement} */ (event.target).id !== 'text') return;
  if (event.code === 'Escape' && bar() && !bar()?.hidden) { event.preventDefault(); event.stopPropagation(); unquote(); }
  const sign = (event.ctrlKey || event.metaKey) && !event.altKey && (event.code === 'KeyS') === event.shiftKey && KEYS[event.code];
  if (sign && form()?.dataset.formatting) { event.preventDefault(); mark(sign); }
}

// -- the menu of a message ---------------------------------------------------------------------------------

/** Show in a message's menu what can be done to this one, now. */
export function menuFor(menu, node) {
  chosen = node.dataset.message || '';
  const here = /** @type {HTMLElement | null} */ (pane.querySelector('.thread'));
  const ours = node.dataset.kind === 'out' && ['sent', 'delivered', 'read'].includes(node.dataset.status) && !node.dataset.gone;
  const age = Date.now() - Number(node.dataset.at) / 1000;
  const within = (name) => { const seconds = Number(here?.dataset[name] || 0); return !seconds || age < seconds * 1000; };
  const there = Boolean(node.dataset.known) && !node.dataset.gone && ['in', 'out'].includes(node.dataset.kind);
  const set = (what, shown) => { const item = menu.querySelector(what); if (item) item.hidden = !shown; };
  set('[data-do="reply-to"]', there);
  set('[data-do="edit"]', ours && within('editFor'));
  set('[data-do="retract"]', ours && within('deleteFor'));
  set('[data-reactions]', there);
  const mine = node.querySelector('[data-ours]')?.dataset.ours || '';
  for (const one of menu.querySelectorAll('[data-react]')) one.setAttribute('aria-pressed', String(one.dataset.react === mine));
}

async function give(verb, body) {
  hideMenus();
  try { await act(verb, body); } catch (error) { complain(error); }
}

/** The verbs of buttons. @type {Record<string, (button: HTMLElement) => void>} */
const VERBS = {
  'reply-to': () => { hideMenus(); answers(chosen); },
  edit: () => { hideMenus(); edit(chosen); },
  retract: () => give('retract', { message: chosen }),
  unquote: () => unquote(),
  mark: (button) => { hideMenus(); mark(button.dataset.sign); },
  templates: () => { hideMenus(); sheets().then((all) => all.templates(current())); },
  'add-button': (button) => sheets().then((all) => all.addButton(button)),
};

function click(event) {
  const button = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('button'));
  if (!button || !current()) return;
  const data = button.dataset;
  if (data.do && VERBS[data.do]) VERBS[data.do](button);
  else if (data.react) give('react', { message: chosen, emoji: button.getAttribute('aria-pressed') === 'true' ? '' : data.react });
  else if (data.versions) sheets().then((all) => all.versions(data.versions));
}

/** Start to listen. */
export function startMessenger(given) {
  current = given;
  pane.addEventListener('click', click);
  pane.addEventListener('keydown', key);
}
