// @ts-check
// The composer: answer or note, drafts on the server, an undo of some seconds, and a guard that
// asks when something was written meanwhile. A send without a network waits, under the same key.
import { _ } from 'hub/i18n';
import { act, chip, complain, element, newKey, Refused, toast } from 'hub/api';
import { back } from 'hub/inbox/acts';
import { fileIds, isUploading, startFiles } from 'hub/inbox/files';
import { mentioned, mentionKey, suggest } from 'hub/inbox/mentions';
import { closeReplies, offerReplies, replyKey, startReplies, takeReply, unfilled } from 'hub/inbox/replies';
import { tell } from 'hub/inbox/presence';
import { instant } from 'hub/inbox/times';
import { ask } from 'hub/sheet';

const DRAFT_MS = 800;
const TYPING_MS = 2500;
const meta = document.querySelector('meta[name="me"]');
// Colleagues may share a browser: nobody is shown, and nobody sends, what another one wrote.
const mine = meta?.getAttribute('content') || '';
const WAITING = 'hub-unsent:' + mine;
const draftKey = (id) => 'draft:' + mine + ':' + id;
const undoSeconds = Number(meta?.getAttribute('data-undo') || 5);
const sendKey = meta?.getAttribute('data-send-key') || 'ctrl_enter';
const myName = meta?.getAttribute('data-name') || '';
const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
let parent = { next: (id) => {}, open: async (id) => {} };
let held = { then: '', due: 0 };
let draftTimer = 0;
let draftOf = '';
let typedAt = 0;
let flying = 0;

const form = () => /** @type {HTMLFormElement | null} */ (pane.querySelector('#composer'));
const area = () => /** @type {HTMLTextAreaElement | null} */ (pane.querySelector('#text'));
const root = () => /** @type {HTMLElement | null} */ (pane.querySelector('.thread'));
// What is written belongs to the dialog it stands in, also while another one is on its way.
const current = () => root()?.dataset.dialog || '';
const isNote = () => form()?.dataset.mode === 'note';

/** What messengers add comes with the first dialog that has it. @type {typeof import('hub/inbox/messenger') | null} */
let extra = null;
/** What messengers add, null while no dialog needed it. */
export const messenger = () => extra;
const needExtra = () => { if (!extra && form()?.dataset.messenger) import('hub/inbox/messenger').then((all) => { if (!extra) { extra = all; extra.startMessenger(current); } extra.windowClock(); count(); }); };

/** Whether a message of ours is on its way to the hub. */
export const inFlight = () => flying > 0;

// What the hub does not have yet is kept in the browser; in private mode it waits in the page.
function keep(key, text) { try { if (text) localStorage.setItem(key, text); else localStorage.removeItem(key); } catch { /* private mode */ } }
function kept(key) { try { return localStorage.getItem(key) || ''; } catch { return ''; } }
/** Keep a draft; its first line says whether it is a note. */
const local = (id, text, mode = form()?.dataset.mode) => keep(draftKey(id), text && mode + '\n' + text);

/** Switch between answer and note. */
function setMode(mode) {
  const one = form();
  if (!one || (mode === 'reply' && !one.querySelector('[data-mode="reply"]'))) return;
  const note = mode === 'note';
  one.dataset.mode = mode;
  one.classList.toggle('is-note', note);
  for (const button of one.querySelectorAll('button[data-mode]')) button.setAttribute('aria-pressed', String(button.getAttribute('data-mode') === mode));
  for (const button of one.querySelectorAll('[data-reply-only], #people')) /** @type {HTMLElement} */ (button).hidden = note;
  for (const button of one.querySelectorAll('[data-note-only]')) /** @type {HTMLElement} */ (button).hidden = !note;
  const word = one.querySelector('[data-send-word]');
  if (word) word.textContent = note ? _('Add note') : _('Send');
  const text = area();
  if (text) text.placeholder = (note ? text.dataset.notePlaceholder : text.dataset.replyPlaceholder) || '';
  count();
  extra?.windowClock();
}

/** Go to the composer. */
export function focusComposer(mode) {
  setMode(mode);
  const text = area();
  if (text?.value) saveDraft(true);
  text?.focus();
}

/** Put a quotation of a text at the caret. */
export function quote(text) {
  const box = area();
  if (!box || !text) return;
  const lines = text.split('\n').map((line) => '> ' + line).join('\n');
  box.setRangeText((box.value && !box.value.endsWith('\n') ? '\n' : '') + lines + '\n', box.selectionStart, box.selectionEnd, 'end');
  box.dispatchEvent(new Event('input', { bubbles: true }));
  box.focus();
}

/** A dialog was put into the pane. */
export function mountComposer(here, id) {
  needExtra();
  const [mode, ...lines] = kept(draftKey(id)).split('\n');
  setMode(mode || form()?.dataset.mode || 'reply');
  const text = area();
  if (text && mode && !text.value) { text.value = lines.join('\n'); saveDraft(true); }
  // Who goes on with a draft goes on at its end.
  text?.setSelectionRange(text.value.length, text.value.length);
  if (here && !text?.value) here.dataset.began = '';
  const cap = pane.querySelector('[data-send-key]');
  if (cap) cap.textContent = sendKey === 'enter' ? '↵' : 'Ctrl ↵';
}

function count() {
  const one = form();
  const text = area();
  const place = pane.querySelector('#counter');
  if (!one || !text || !place) return;
  const max = Number(one.dataset.maxText);
  const length = text.value.length;
  if (extra?.measure(place)) return;
  if (!max || isNote() || length < max * 0.8) { place.textContent = ''; return; }
  const parts = Math.ceil(length / max);
  place.textContent = parts > 1 ? _('{n} of {max}: leaves in {parts} messages', { n: length, max, parts }) : length + ' / ' + max;
}

function saveDraft(now = false) {
  const id = current();
  const text = area();
  const place = pane.querySelector('#saved');
  if (!id || !text) return;
  local(id, text.value);
  // Who goes on to the next dialog within the moment leaves nothing unsaved.
  if (draftOf === id) clearTimeout(draftTimer);
  draftOf = id;
  const body = { dialog: id, text: text.value, mode: form()?.dataset.mode, files: fileIds() };
  draftTimer = window.setTimeout(async () => {
    try {
      await act('draft', body);
      // What the hub has may be sent from elsewhere: it must not come back here then.
      if (kept(draftKey(id)).endsWith('\n' + body.text)) local(id, '');
      document.dispatchEvent(new CustomEvent('hub:draft', { detail: { dialog: id, text: body.text } }));
      if (place && current() === id) place.textContent = body.text ? _('Draft saved') : '';
    } catch { if (place) place.textContent = body.text ? _('Draft kept in this browser') : ''; }
  }, now ? 0 : DRAFT_MS);
}

/** Draw our own message before the hub has answered. */
function sketch(text, note, files) {
  const node = element('<article class="msg ' + (note ? 'note' : 'out') + '" data-sketch="1" data-kind="' + (note ? 'note' : 'out') + '"><div class="by"></div><div class="bubble"><div class="text"></div></div><div class="meta"><span data-state></span></div></article>');
  node.dataset.at = String(Date.now() * 1000);
  node.dataset.author = myName;
  const set = (where, what) => { const place = node.querySelector(where); if (place) place.textContent = what; };
  set('.by', myName);
  set('.text', text || files.join(', '));
  set('[data-state]', _('Sending'));
  pane.querySelector('#entries')?.append(node);
  const box = pane.querySelector('.log');
  if (box) box.scrollTop = box.scrollHeight;
  return node;
}

function people() {
  const box = /** @type {HTMLElement | null} */ (pane.querySelector('#people'));
  if (!box) return {};
  const all = (kind) => [...box.querySelectorAll('[data-' + kind + ']')].map((one) => one.getAttribute('data-' + kind));
  return { to: box.dataset.to, subject: box.dataset.subject, cc: all('cc'), bcc: all('bcc'), reply_to: form()?.dataset.replyTo || '0' };
}

/** Send what is written. */
function send({ then = '', anyway = false, due = 0 } = {}) {
  const id = current();
  const here = root();
  const text = area();
  if (!id || !text || !here || /** @type {HTMLButtonElement | null} */ (pane.querySelector('#send'))?.disabled) return;
  const words = text.value.trim();
  if (extra?.editing() && !isNote()) { extra.finishEdit(words); return; }
  const files = fileIds();
  if (isUploading()) { toast(_('A file is still on its way.')); return; }
  if (!words && !files.length) { text.focus(); return; }
  const note = isNote();
  if (!note && unfilled(text)) { toast(_('A placeholder is not filled in yet: write what belongs there.')); return; }
  closeReplies();
  const wait = note || due ? 0 : undoSeconds;
  const body = { dialog: id, text: words, files, key: newKey() };
  if (note) Object.assign(body, { mentions: mentioned(words) });
  else Object.assign(body, people(), extra?.more(), takeReply(words), { seen: here.dataset.began || here.dataset.lastMessage, anyway, then, ...(due ? { due_at: String(due) } : { delay: wait }) });
  const pending = pane.querySelector('#pending');
  const was = { value: text.value, files: [...(pending?.children || [])] };
  const node = sketch(words, note, was.files.map((one) => one.textContent || ''));
  text.value = '';
  pending?.replaceChildren();
  extra?.unquote();
  here.dataset.began = '';
  if (draftOf === id) clearTimeout(draftTimer);
  local(id, '');
  const place = pane.querySelector('#saved');
  if (place) place.textContent = '';
  document.dispatchEvent(new CustomEvent('hub:draft', { detail: { dialog: id, text: '' } }));
  count();
  const put = () => {
    node.remove();
    text.value = [was.value, text.value].filter(Boolean).join('\n');
    pending?.append(...was.files);
    local(id, text.value, note ? 'note' : 'reply');
    document.dispatchEvent(new CustomEvent('hub:draft', { detail: { dialog: id, text: text.value } }));
  };
  attempt({ verb: note ? 'note' : 'send', body, node, put, before: then ? back(id) : null, wait, due, id, then });
  if (then === 'closed') parent.next(id);
}

async function attempt(one) {
  flying += 1;
  try {
    const answer = await act(one.verb, one.body);
    forget(one.body.key);
    settle(one, String(answer.result));
  } catch (error) {
    if (error instanceof Refused) { forget(one.body.key); refused(one, error); } else wait(one);
  } finally {
    flying -= 1;
    document.dispatchEvent(new Event('hub:sent'));
  }
}

function settle(one, id) {
  const { node } = one;
  if (document.getElementById('m-' + id)) node.remove();
  node.id = 'm-' + id;
  node.dataset.message = id;
  node.removeAttribute('data-sketch');
  const state = node.querySelector('[data-state]');
  if (state) state.textContent = '';
  if (one.due) toast(_('Will be sent later'), () => takeBack(one, id));
  else if (one.verb === 'send' && one.wait) toast(_('The message leaves in {n} s', { n: one.wait }), () => takeBack(one, id), one.wait);
}

/** Write it again where it was written, whatever is open meanwhile; its dialog stands as it stood. */
async function takeBack(one, message) {
  try { await act('cancel', { message }); } catch (error) { complain(error); return; }
  one.put();
  await one.before?.();
  if (one.id !== current()) await parent.open(one.id);
  focusComposer('reply');
}

function refused(one, error) {
  one.put();
  if (error.what === 'window_closed') extra?.takeWindow('1');
  if (error.what !== 'newer_messages') { complain(error); return; }
  const guard = /** @type {HTMLElement | null} */ (one.id === current() ? pane.querySelector('#guard') : null);
  const words = guard?.querySelector('[data-text]');
  if (!guard || !words) { complain(error); return; }
  words.textContent = _('New messages since you began: {n}. Look, or send anyway?', { n: error.details?.count || 1 });
  guard.hidden = false;
  held = { then: one.then, due: one.due };
  const button = /** @type {HTMLElement | null} */ (guard.querySelector('[data-do="guard-look"]'));
  button?.focus();
}

// -- what could not leave this browser ---------------------------------------------------------

const unsent = () => JSON.parse(kept(WAITING) || '[]');
function forget(key) { const list = unsent(); if (list.length) keep(WAITING, JSON.stringify(list.filter((one) => one.body.key !== key))); }

/** The network is away: the same key is sent when it is back, so nothing doubles. */
function wait(one) {
  const list = unsent();
  if (!list.some((each) => each.body.key === one.body.key)) keep(WAITING, JSON.stringify([...list, { verb: one.verb, body: { ...one.body, delay: 0 } }]));
  const state = one.node.querySelector('[data-state]');
  if (state) state.textContent = _('No connection: will be sent when it is back');
  const again = () => { window.removeEventListener('online', again); clearTimeout(timer); attempt(one); };
  const timer = window.setTimeout(again, 4000);
  window.addEventListener('online', again);
}

/** What an earlier page could not send. */
function sendLeftOver() {
  for (const one of unsent()) {
    act(one.verb, one.body).then(() => forget(one.body.key)).catch((error) => { if (error instanceof Refused) { forget(one.body.key); local(one.body.dialog, one.body.text, one.verb === 'note' ? 'note' : 'reply'); complain(error); } });
  }
}

async function addPerson(kind) {
  const value = await ask(kind === 'cc' ? _('Copy to') : _('Blind copy to'), '', _('An e-mail address'));
  if (!value?.includes('@')) return;
  pane.querySelector('#people button[data-do="add-cc"]')?.before(chip((kind === 'bcc' ? _('Bcc') + ': ' : '') + value, 'drop-person', { [kind]: value }));
}

function guardDone() {
  const guard = /** @type {HTMLElement | null} */ (pane.querySelector('#guard'));
  if (guard) guard.hidden = true;
}

/** The verbs of the composer's buttons. @type {Record<string, (button: HTMLElement) => void>} */
const VERBS = {
  attach: () => /** @type {HTMLElement | null} */ (pane.querySelector('#files'))?.click(),
  'drop-file': (button) => { button.closest('.chip')?.remove(); saveDraft(true); },
  'drop-person': (button) => button.closest('.chip')?.remove(),
  'add-cc': () => addPerson('cc'),
  'add-bcc': () => addPerson('bcc'),
  'guard-send': () => { guardDone(); send({ ...held, anyway: true }); },
  'guard-look': () => {
    guardDone();
    const box = pane.querySelector('.log');
    const here = root();
    if (box) box.scrollTop = box.scrollHeight;
    if (here) here.dataset.began = here.dataset.lastMessage;
    area()?.focus();
  },
};

function click(event) {
  const button = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('button'));
  if (!button) return;
  const data = button.dataset;
  const menu = /** @type {any} */ (pane.querySelector('#later-menu'));
  if (data.mode) focusComposer(data.mode);
  else if (data.do && VERBS[data.do]) VERBS[data.do](button);
  else if (data.sendThen) { menu?.hidePopover(); send({ then: data.sendThen }); }
  else if (data.later) {
    const due = instant(data.later, /** @type {any} */ (pane.querySelector('#later-at')));
    if (!due) { toast(_('Choose a time that is still to come.')); return; }
    menu?.hidePopover();
    send({ due });
  }
}

function input(event) {
  const text = /** @type {HTMLTextAreaElement} */ (event.target);
  if (text.id !== 'text') return;
  const here = root();
  // The guard asks about what came after one began to write; what stands last may be older.
  if (here && !here.dataset.began && text.value) here.dataset.began = here.dataset.lastMessage;
  if (here && !text.value) here.dataset.began = '';
  count();
  saveDraft();
  suggest(text, isNote());
  offerReplies(text);
  const now = Date.now();
  if (now - typedAt > TYPING_MS && text.value) { typedAt = now; tell('typing', current(), { note: isNote() }); }
}

function keydown(event) {
  const text = /** @type {HTMLTextAreaElement} */ (event.target);
  if (text.id !== 'text' || event.isComposing || mentionKey(text, event) || replyKey(text, event)) return;
  if (event.code !== 'Enter' && event.code !== 'NumpadEnter') return;
  const ctrl = event.ctrlKey || event.metaKey;
  if (ctrl && event.shiftKey && !isNote()) { event.preventDefault(); send({ then: 'closed' }); }
  else if (ctrl || (sendKey === 'enter' && !event.shiftKey)) { event.preventDefault(); send(); }
}

/** Start to listen, once for every dialog. */
export function startComposer(given) {
  parent = given;
  pane.addEventListener('submit', (event) => { event.preventDefault(); send(); });
  pane.addEventListener('input', input);
  pane.addEventListener('keydown', keydown);
  pane.addEventListener('click', click);
  startReplies(current);
  startFiles(current, form, () => saveDraft(true));
  window.addEventListener('online', sendLeftOver);
  sendLeftOver();
}
