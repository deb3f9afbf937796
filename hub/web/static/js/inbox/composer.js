// @ts-check
// The composer: answer or note, files by paste and drop, drafts on the server, an undo of some
// seconds, and a guard that asks when something was written meanwhile.
import { _ } from 'hub/i18n';
import { act, complain, element, newKey, post, Refused, toast, upload } from 'hub/api';
import { ask } from 'hub/keys';
import { cancel, instant } from 'hub/inbox/thread';

const DRAFT_MS = 800;
const meta = document.querySelector('meta[name="me"]');
const undoSeconds = Number(meta?.getAttribute('data-undo') || 5);
const sendKey = meta?.getAttribute('data-send-key') || 'ctrl_enter';
const myName = meta?.getAttribute('data-name') || '';
let parent = { next: (id) => {}, current: () => '' };
let held = null;
let draftTimer = 0;
let typedAt = 0;
const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
const form = () => /** @type {HTMLFormElement | null} */ (pane.querySelector('#composer'));
const area = () => /** @type {HTMLTextAreaElement | null} */ (pane.querySelector('#text'));
const isNote = () => form()?.dataset.mode === 'note';

/** Files that wait in the composer. */
const files = () => [...pane.querySelectorAll('#pending [data-file]')].map((one) => one.getAttribute('data-file'));

/** Switch between answer and note. */
function setMode(mode) {
  const one = form();
  if (!one) return;
  if (mode === 'reply' && !one.querySelector('[data-mode="reply"]')) return;
  one.dataset.mode = mode;
  one.classList.toggle('is-note', mode === 'note');
  for (const button of one.querySelectorAll('button[data-mode]')) button.setAttribute('aria-pressed', String(button.getAttribute('data-mode') === mode));
  for (const button of one.querySelectorAll('[data-reply-only]')) /** @type {HTMLElement} */ (button).hidden = mode === 'note';
  const word = one.querySelector('[data-send-word]');
  if (word) word.textContent = mode === 'note' ? _('Add note') : _('Send');
  const text = area();
  if (text) text.placeholder = (mode === 'note' ? text.dataset.notePlaceholder : text.dataset.replyPlaceholder) || '';
  const people = /** @type {HTMLElement | null} */ (one.querySelector('#people'));
  if (people) people.hidden = mode === 'note';
  count();
}

/** Go to the composer. */
export function focusComposer(mode) {
  setMode(mode);
  area()?.focus();
}

/** A dialog was put into the pane. */
export function mountComposer(root, id) {
  setMode(form()?.dataset.mode || 'reply');
  const guard = /** @type {HTMLElement | null} */ (pane.querySelector('#guard'));
  if (guard) guard.hidden = true;
  const text = area();
  if (text && !text.value) {
    try { text.value = localStorage.getItem('draft:' + id) || ''; } catch { /* private mode */ }
  }
  if (root) root.dataset.began = root.dataset.lastMessage || '0';
  windowClock();
}

function count() {
  const one = form();
  const text = area();
  const place = pane.querySelector('#counter');
  if (!one || !text || !place) return;
  const max = Number(one.dataset.maxText);
  const length = text.value.length;
  if (!max || isNote() || length < max * 0.8) { place.textContent = ''; return; }
  const parts = Math.ceil(length / max);
  place.textContent = parts > 1 ? _('{n} of {max}: leaves in {parts} messages', { n: length, max, parts }) : length + ' / ' + max;
}

/** The reply window counts down; when it is closed, answers wait for the person. */
function windowClock() {
  const one = form();
  const place = pane.querySelector('#saved');
  const end = Number(one?.dataset.window || 0) / 1000;
  if (!one || !place || !end) return;
  const left = end - Date.now();
  const send = /** @type {HTMLButtonElement | null} */ (one.querySelector('#send'));
  if (left <= 0) {
    place.textContent = _('The reply window is closed: the client must write first.');
    if (send && !isNote()) send.disabled = true;
  } else if (left < 4 * 3600e3) {
    place.textContent = _('{n} min left to answer', { n: Math.ceil(left / 60000) });
    if (send) send.disabled = false;
  }
}

function saveDraft() {
  const id = parent.current();
  const text = area();
  if (!id || !text) return;
  try { if (text.value) localStorage.setItem('draft:' + id, text.value); else localStorage.removeItem('draft:' + id); } catch { /* private mode */ }
  clearTimeout(draftTimer);
  const body = { dialog: id, text: text.value, mode: form()?.dataset.mode, files: files() };
  draftTimer = window.setTimeout(async () => {
    try {
      await act('draft', body);
      const place = pane.querySelector('#saved');
      if (place && parent.current() === id && text.value && !Number(form()?.dataset.window)) place.textContent = _('Draft saved');
    } catch { /* it is kept here */ }
  }, DRAFT_MS);
}

function sketch(text, note) {
  const node = element('<article class="msg ' + (note ? 'note' : 'out') + '" data-sketch="1"><div class="by"></div><div class="bubble"><div class="text"></div></div><div class="meta"><span data-state></span></div></article>');
  const by = node.querySelector('.by');
  const words = node.querySelector('.text');
  const state = node.querySelector('[data-state]');
  if (by) by.textContent = myName;
  if (words) words.textContent = text;
  if (state) state.textContent = _('Sending');
  pane.querySelector('#entries')?.append(node);
  const log = pane.querySelector('.log');
  if (log) log.scrollTop = log.scrollHeight;
  return node;
}

function people() {
  const box = /** @type {HTMLElement | null} */ (pane.querySelector('#people'));
  if (!box) return {};
  return {
    to: box.dataset.to,
    subject: box.dataset.subject,
    cc: [...box.querySelectorAll('[data-cc]')].map((one) => one.getAttribute('data-cc')),
    bcc: [...box.querySelectorAll('[data-bcc]')].map((one) => one.getAttribute('data-bcc')),
    reply_to: form()?.dataset.replyTo || '0',
  };
}

function mentions(text) {
  const found = [];
  for (const one of document.querySelectorAll('#assign-menu [data-assign]')) {
    const name = one.querySelector('.grow')?.textContent?.trim();
    const id = one.getAttribute('data-assign');
    if (name && id !== '0' && text.includes('@' + name)) found.push(id);
  }
  return found;
}

/** Send what is written. */
async function send({ then = '', anyway = false, due = 0 } = {}) {
  const id = parent.current();
  const root = /** @type {HTMLElement | null} */ (pane.querySelector('.thread'));
  const text = area();
  if (!id || !text || !root) return;
  const words = text.value.trim();
  const attached = files();
  if (!words && !attached.length) { text.focus(); return; }
  const note = isNote();
  const wait = note || due || attached.length > 20 ? 0 : undoSeconds;
  const body = {
    dialog: id,
    text: words,
    files: attached,
    key: newKey(),
    ...(note ? { mentions: mentions(words) } : { ...people(), seen: root.dataset.began, anyway, then, due_at: String(due || (wait ? (Date.now() + wait * 1000) * 1000 : 0)) }),
  };
  const kept = { value: text.value, pending: pane.querySelector('#pending')?.innerHTML || '' };
  text.value = '';
  const pending = pane.querySelector('#pending');
  if (pending) pending.replaceChildren();
  clearTimeout(draftTimer);
  try { localStorage.removeItem('draft:' + id); } catch { /* private mode */ }
  count();
  const node = sketch(words, note);
  const put = () => { node.remove(); if (parent.current() === id) { const now = area(); if (now && !now.value) now.value = kept.value; const box = pane.querySelector('#pending'); if (box) box.innerHTML = kept.pending; saveDraft(); } };
  await attempt(body, node, put, note, { then, wait, id, root });
}

async function attempt(body, node, put, note, { then, wait, id, root }) {
  try {
    const answer = await act(note ? 'note' : 'send', body);
    node.id ||= 'm-' + answer.result;
    node.dataset.message = answer.result;
    root.dataset.began = answer.result > (root.dataset.began || '0') ? answer.result : root.dataset.began;
    if (!note && wait) toast(_('The message leaves in {n} s', { n: wait }), () => { node.remove(); cancel(answer.result); }, wait);
    if (then === 'closed') parent.next(id);
  } catch (error) {
    if (error instanceof Refused && error.what === 'newer_messages') {
      put();
      const guard = /** @type {HTMLElement | null} */ (pane.querySelector('#guard'));
      const words = guard?.querySelector('[data-text]');
      if (guard && words) { words.textContent = _('{n} new since you began. Look, or send anyway?', { n: error.details?.count || 1 }); guard.hidden = false; }
      held = { then };
      return;
    }
    if (error instanceof Refused) { put(); complain(error); return; }
    // The network is away: the same key is sent again when it is back, so nothing doubles.
    node.dataset.failed = '1';
    const state = node.querySelector('[data-state]');
    if (state) state.textContent = _('No connection: will be sent when it is back');
    window.addEventListener('online', () => { delete node.dataset.failed; attempt(body, node, put, note, { then, wait, id, root }); }, { once: true });
    window.setTimeout(() => { if (node.dataset.failed && node.isConnected) { delete node.dataset.failed; attempt(body, node, put, note, { then, wait, id, root }); } }, 5000);
  }
}

async function addFiles(list) {
  const one = form();
  const id = parent.current();
  if (!one || !id || !list.length) return;
  const max = Number(one.dataset.maxFile);
  const most = Number(one.dataset.maxFiles) || 20;
  for (const file of list) {
    if (!isNote() && !max) { toast(_('This channel takes no files.')); return; }
    if (!isNote() && max && file.size > max) { toast(_('{name} is too large: this channel takes up to {n} MB', { name: file.name, n: Math.floor(max / 1e6) })); continue; }
    if (files().length >= most) { toast(_('At most {n} files.', { n: most })); return; }
    const chip = document.createElement('span');
    chip.className = 'chip';
    chip.textContent = file.name + ' …';
    pane.querySelector('#pending')?.append(chip);
    try {
      const kept = await upload(id, file);
      chip.dataset.file = kept.id;
      chip.textContent = kept.name + ' ';
      const drop = document.createElement('button');
      drop.type = 'button';
      drop.className = 'btn quiet';
      drop.dataset.do = 'drop-file';
      drop.textContent = '×';
      drop.setAttribute('aria-label', _('Remove'));
      chip.append(drop);
      saveDraft();
    } catch (error) { chip.remove(); complain(error); }
  }
}

async function addPerson(kind) {
  const value = await ask(kind === 'cc' ? _('Copy to') : _('Blind copy to'), '', _('An e-mail address'));
  if (!value?.includes('@')) return;
  const chip = document.createElement('span');
  chip.className = 'chip';
  chip.dataset[kind] = value;
  chip.textContent = (kind === 'bcc' ? 'Bcc: ' : '') + value + ' ';
  const drop = document.createElement('button');
  drop.type = 'button';
  drop.className = 'btn quiet';
  drop.dataset.do = 'drop-cc';
  drop.textContent = '×';
  drop.setAttribute('aria-label', _('Remove'));
  chip.append(drop);
  pane.querySelector('#people button[data-do="add-cc"]')?.before(chip);
}

/** Offer colleagues after an @ in a note. */
function suggest(text) {
  const before = text.value.slice(0, text.selectionStart);
  const found = before.match(/@([^\s@]{0,30})$/);
  let list = /** @type {HTMLElement | null} */ (pane.querySelector('#mention-list'));
  if (!found || !isNote()) { list?.remove(); return; }
  const names = [...document.querySelectorAll('#assign-menu [data-assign]:not([data-assign="0"]) .grow')].map((one) => one.textContent?.trim() || '').filter((one) => one.toLowerCase().startsWith(found[1].toLowerCase()) && one !== _('Assign to me'));
  list?.remove();
  if (!names.length) return;
  list = document.createElement('div');
  list.id = 'mention-list';
  list.className = 'people';
  for (const name of names.slice(0, 6)) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn small';
    button.textContent = '@' + name;
    button.addEventListener('click', () => {
      text.setRangeText('@' + name + ' ', text.selectionStart - found[0].length, text.selectionStart, 'end');
      list?.remove();
      text.focus();
    });
    list.append(button);
  }
  text.before(list);
}

/** Start to listen, once for every dialog. */
export function startComposer(given) {
  parent = given;
  pane.addEventListener('submit', (event) => { event.preventDefault(); send(); });
  pane.addEventListener('input', (event) => {
    const text = /** @type {HTMLTextAreaElement} */ (event.target);
    if (text.id !== 'text') return;
    count();
    saveDraft();
    suggest(text);
    const now = Date.now();
    if (now - typedAt > 2500 && text.value) { typedAt = now; post('/signal', { kind: 'typing', dialog: parent.current(), note: isNote() }).catch(() => {}); }
  });
  pane.addEventListener('keydown', (event) => {
    const text = /** @type {HTMLElement} */ (event.target);
    if (text.id !== 'text' || event.isComposing) return;
    if (event.code === 'Enter' || event.code === 'NumpadEnter') {
      const ctrl = event.ctrlKey || event.metaKey;
      if (ctrl && event.shiftKey) { event.preventDefault(); send({ then: 'closed' }); }
      else if (ctrl || (sendKey === 'enter' && !event.shiftKey)) { event.preventDefault(); send(); }
    }
  });
  pane.addEventListener('paste', (event) => {
    const list = [...(event.clipboardData?.files || [])];
    if (list.length && /** @type {HTMLElement} */ (event.target).id === 'text') { event.preventDefault(); addFiles(list); }
  });
  pane.addEventListener('dragover', (event) => { if (event.dataTransfer?.types.includes('Files')) { event.preventDefault(); pane.classList.add('dropping'); } });
  pane.addEventListener('dragleave', () => pane.classList.remove('dropping'));
  pane.addEventListener('drop', (event) => { if (event.dataTransfer?.files.length) { event.preventDefault(); pane.classList.remove('dropping'); addFiles([...event.dataTransfer.files]); } });
  pane.addEventListener('change', (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.id === 'files') { addFiles([...(input.files || [])]); input.value = ''; }
  });
  pane.addEventListener('click', (event) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('button'));
    if (!button) return;
    if (button.dataset.mode) { setMode(button.dataset.mode); area()?.focus(); saveDraft(); }
    else if (button.dataset.do === 'attach') /** @type {HTMLElement | null} */ (pane.querySelector('#files'))?.click();
    else if (button.dataset.do === 'send-close') send({ then: 'closed' });
    else if (button.dataset.do === 'drop-file' || button.dataset.do === 'drop-cc') { button.parentElement?.remove(); saveDraft(); }
    else if (button.dataset.do === 'add-cc') addPerson('cc');
    else if (button.dataset.do === 'add-bcc') addPerson('bcc');
    else if (button.dataset.do === 'guard-send') { guardDone(); send({ then: held?.then || '', anyway: true }); }
    else if (button.dataset.do === 'guard-look') { guardDone(); const log = pane.querySelector('.log'); if (log) log.scrollTop = log.scrollHeight; const root = /** @type {HTMLElement | null} */ (pane.querySelector('.thread')); const last = [...pane.querySelectorAll('.msg[data-message]')].pop(); if (root && last) root.dataset.began = last.getAttribute('data-message') || '0'; }
    else if (button.dataset.later) {
      const due = instant(button.dataset.later, /** @type {any} */ (pane.querySelector('#later-at')));
      if (due) { /** @type {any} */ (pane.querySelector('#later-menu'))?.hidePopover(); send({ due }); }
    }
  });
  setInterval(windowClock, 30000);
}

function guardDone() {
  const guard = /** @type {HTMLElement | null} */ (pane.querySelector('#guard'));
  if (guard) guard.hidden = true;
}
