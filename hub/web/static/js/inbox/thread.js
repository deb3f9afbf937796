// @ts-check
// The open dialog: one root with everything of it; the last twelve are kept; new messages are
// drawn once per frame; the place where one reads is never moved.
import { _ } from 'hub/i18n';
import { act, complain, element, fragment, post, toast } from 'hub/api';
import { ask, bind, openSheet } from 'hub/keys';
import { watchDialogs } from 'hub/live';
import { focusComposer, startComposer, mountComposer } from 'hub/inbox/composer';

const KEEP = 12;
const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
const card = /** @type {HTMLElement} */ (document.getElementById('card-pane'));
/** @type {Map<string, {root: HTMLElement, card: string, at: number, stale: boolean}>} */
const kept = new Map();
/** @type {Map<string, Promise<void>>} */
const loading = new Map();
/** @type {Map<string, any>} */
const pending = new Map();
let open = '';
let frame = 0;
let parent = { next: (id) => {}, back: () => {}, refreshRow: (id) => {} };
/** @type {Map<string, {name: string, kind: string, at: number}>} */
const present = new Map();

/** The id of the open dialog, "" where none is. */
export function current() { return open; }
const root = () => /** @type {HTMLElement | null} */ (pane.querySelector('.thread'));
const log = () => /** @type {HTMLElement | null} */ (pane.querySelector('.log'));
const entries = () => /** @type {HTMLElement | null} */ (pane.querySelector('#entries'));
const atEnd = (one) => one.scrollHeight - one.scrollTop - one.clientHeight < 60;

function keep(id, html) {
  const box = document.createElement('template');
  box.innerHTML = html.trim();
  const found = /** @type {HTMLElement} */ (box.content.querySelector('.thread'));
  const side = /** @type {HTMLTemplateElement} */ (box.content.querySelector('template'));
  // A dialog that was merged answers under its survivor's id.
  const real = found.dataset.dialog || id;
  kept.set(real, { root: found, card: side ? side.innerHTML : '', at: Date.now(), stale: false });
  while (kept.size > KEEP) {
    const oldest = [...kept.entries()].filter(([key]) => key !== open).sort((a, b) => a[1].at - b[1].at)[0];
    if (!oldest) break;
    kept.delete(oldest[0]);
  }
  return real;
}

async function load(id) {
  const known = loading.get(id);
  if (known) return known;
  const work = fragment('/inbox/dialog/' + id).then((html) => { keep(id, html); }).finally(() => loading.delete(id));
  loading.set(id, work);
  return work;
}

/** Fetch a neighbour before it is asked for. */
export function prefetch(id) {
  if (!id || kept.has(id) || loading.has(id)) return;
  load(id).catch(() => {});
}

/** Put a dialog into the pane. */
export async function openDialog(id) {
  if (open === id && root()) { pane.parentElement?.classList.add('reading'); return; }
  remember();
  open = id;
  const known = kept.get(id);
  if (!known || known.stale) {
    const slow = window.setTimeout(() => pane.classList.add('slow'), 300);
    try { await load(id); } catch (error) { complain(error); return; } finally { clearTimeout(slow); pane.classList.remove('slow'); }
    if (open !== id) return;
  }
  mount(id);
}

/** Keep the pane's dialog as it stands. */
function remember() {
  const here = root();
  if (!here || !open) return;
  const known = kept.get(open);
  const side = card.innerHTML;
  kept.set(open, { root: here, card: side, at: Date.now(), stale: known?.stale || false });
}

function mount(id) {
  const known = kept.get(id) || [...kept.entries()].find(([key]) => key === id)?.[1];
  if (!known) return;
  known.at = Date.now();
  pane.replaceChildren(known.root);
  card.innerHTML = known.card;
  const one = log();
  if (one) {
    const line = one.querySelector('#unread-line');
    if (line) one.scrollTop = Math.max(0, /** @type {HTMLElement} */ (line).offsetTop - 120);
    else one.scrollTop = one.scrollHeight;
  }
  present.clear();
  drawPresence();
  watchDialogs([id]);
  mountComposer(known.root, id);
  seen();
  tell('viewing');
}

/** Nothing is open any more. */
export function leave() {
  remember();
  if (open) tell('left');
  open = '';
  watchDialogs([]);
}

function tell(kind) {
  if (open) post('/signal', { kind, dialog: open }).catch(() => {});
}

let seenTimer = 0;
/** Note that what stands at the end was really seen. */
function seen() {
  clearTimeout(seenTimer);
  const id = open;
  seenTimer = window.setTimeout(() => {
    const here = root();
    const box = log();
    if (!here || !box || document.hidden || open !== id || !document.hasFocus()) return;
    const messages = [...here.querySelectorAll('.msg[data-message]')];
    const last = messages[messages.length - 1];
    if (!last || here.dataset.read === last.getAttribute('data-message')) return;
    here.dataset.read = last.getAttribute('data-message') || '';
    act('read', { dialog: id, message: here.dataset.read }).catch(() => { here.dataset.read = ''; });
    parent.refreshRow(id);
  }, 700);
}

/** Take what the stream brought. */
export function threadItems(items) {
  for (const item of items) {
    if (item.k === 'msg' || item.k === 'gone') pending.set(item.id, item);
    else if (item.k === 'head') reloadHead(item.id);
    else if (item.k === 'signal') signal(item);
    else if (item.k === 'resync') resync();
    if (item.k === 'row' && item.id !== open && kept.has(item.id)) kept.delete(item.id);
  }
  if (pending.size && !frame) frame = requestAnimationFrame(draw);
}

function draw() {
  frame = 0;
  const box = log();
  const list = entries();
  const stick = box ? atEnd(box) : false;
  let news = false;
  for (const [id, item] of pending) {
    pending.delete(id);
    if (item.k === 'gone') { document.getElementById('m-' + id)?.remove(); continue; }
    if (item.dialog !== open || !list) continue;
    news = putMessage(list, item) || news;
  }
  if (!box) return;
  if (stick) box.scrollTop = box.scrollHeight;
  if (news) { seen(); announce(); }
}

/** Put a message where its instant says; gives whether it is new. */
function putMessage(list, item) {
  const node = element(item.html);
  const old = document.getElementById('m-' + item.id);
  if (old) {
    node.querySelectorAll('details').forEach((one, n) => { if (old.querySelectorAll('details')[n]?.open) one.open = true; });
    old.replaceWith(node);
    return false;
  }
  // Our own message stands here already as a sketch: it becomes the real one.
  const sketch = item.way !== 'in' && list.querySelector('.msg[data-sketch]:not([data-failed])');
  if (sketch && sketch.querySelector('.text')?.textContent === node.querySelector('.text')?.textContent) {
    sketch.replaceWith(node);
    return false;
  }
  const at = Number(node.dataset.at);
  const later = [...list.querySelectorAll('.msg[data-at]:not([data-sketch])')].find((one) => Number(one.getAttribute('data-at')) > at);
  if (later) list.insertBefore(node, later); else list.append(node);
  const here = root();
  if (here && item.way === 'in') here.dataset.lastMessage = item.id;
  if (present.get('contact')) { present.delete('contact'); drawPresence(); }
  return true;
}

let announced = 0;
function announce() {
  const now = Date.now();
  if (now - announced < 3000) return;
  announced = now;
  const place = pane.querySelector('#announce');
  const last = [...pane.querySelectorAll('.msg.in .text')].pop();
  if (place && last) place.textContent = last.textContent || '';
}

/** Draw the header, the card and the history again; what is being written stays. */
async function reloadHead(id) {
  if (id !== open) { kept.delete(id); return; }
  try {
    const html = await fragment('/inbox/dialog/' + id);
    if (id !== open) return;
    const box = document.createElement('template');
    box.innerHTML = html.trim();
    const fresh = /** @type {HTMLElement} */ (box.content.querySelector('.thread'));
    const here = root();
    if (!here || !fresh) return;
    here.querySelector('.thread-head')?.replaceWith(/** @type {Element} */ (fresh.querySelector('.thread-head')));
    for (const name of ['assign-menu', 'snooze-menu', 'more-menu']) {
      const menu = fresh.querySelector('#' + name);
      const old = here.querySelector('#' + name);
      if (menu && old && !old.matches(':popover-open')) old.replaceWith(menu);
    }
    here.dataset.version = fresh.dataset.version;
    const one = log();
    const stick = one ? atEnd(one) : false;
    for (const line of fresh.querySelectorAll('.hist')) {
      const number = line.getAttribute('data-event');
      if (!here.querySelector('.hist[data-event="' + number + '"]')) entries()?.append(line);
    }
    const side = box.content.querySelector('template');
    if (side && !card.contains(document.activeElement)) card.innerHTML = side.innerHTML;
    if (one && stick) one.scrollTop = one.scrollHeight;
  } catch { /* the next fact asks again */ }
}

/** After a gap: forget what was kept, read the open one again. */
async function resync() {
  for (const key of [...kept.keys()]) if (key !== open) kept.delete(key);
  if (!open) return;
  const id = open;
  const last = [...pane.querySelectorAll('.msg[data-message]:not([data-sketch])')].pop();
  try {
    const html = await fragment('/inbox/dialog/' + id + '/messages' + (last ? '?after=' + last.getAttribute('data-message') : ''));
    const box = document.createElement('template');
    box.innerHTML = html;
    const list = entries();
    for (const node of box.content.querySelectorAll('.msg')) {
      if (list && !document.getElementById(node.id)) list.append(node);
    }
    reloadHead(id);
    seen();
  } catch { /* the stream will say again */ }
}

function signal(item) {
  if (item.dialog !== open) return;
  const key = item.contact ? 'contact' : item.user;
  if (item.kind === 'left') present.delete(key);
  else present.set(key, { name: item.name, kind: item.kind, at: Date.now() });
  drawPresence();
}

function drawPresence() {
  const now = Date.now();
  for (const [key, one] of present) if (now - one.at > (one.kind === 'typing' ? 6000 : 60000)) present.delete(key);
  const typing = pane.querySelector('#typing');
  if (typing) typing.textContent = present.get('contact')?.kind === 'typing' ? _('The client is typing…') : '';
  const chip = /** @type {HTMLElement | null} */ (pane.querySelector('[data-presence]'));
  const others = [...present.entries()].filter(([key]) => key !== 'contact').map(([, one]) => one);
  if (chip) {
    chip.hidden = !others.length;
    const writer = others.find((one) => one.kind === 'typing');
    chip.textContent = writer ? _('{name} is answering', { name: writer.name }) : others.map((one) => one.name).join(', ') + (others.length ? ' ' + _('looks at this too') : '');
  }
  const warn = /** @type {HTMLElement | null} */ (pane.querySelector('#colleague'));
  const writer = others.find((one) => one.kind === 'typing');
  if (warn) {
    warn.hidden = !writer;
    const words = warn.querySelector('[data-text]');
    if (words && writer) words.textContent = _('{name} is writing an answer right now.', { name: writer.name });
  }
}

async function older(button) {
  const sep = button.closest('[data-older]');
  const box = log();
  if (!sep || !box) return;
  const before = sep.getAttribute('data-older');
  button.disabled = true;
  try {
    const html = await fragment('/inbox/dialog/' + open + '/messages?before=' + before);
    const height = box.scrollHeight;
    const first = document.createElement('template');
    first.innerHTML = html;
    const again = first.content.querySelector('[data-older]');
    sep.before(first.content);
    sep.remove();
    if (again) entries()?.prepend(again);
    box.scrollTop += box.scrollHeight - height;
  } catch (error) { complain(error); button.disabled = false; }
}

async function change(verb, body, undo = null, text = '') {
  try {
    const answer = await act(verb, { dialog: open, ...body });
    if (text) toast(text, undo);
    return answer.result;
  } catch (error) { complain(error); return undefined; }
}

function close() {
  const id = open;
  const before = root()?.querySelector('[data-do="reopen"]') ? 'closed' : 'open';
  change('status', { status: 'closed' }, () => act('status', { dialog: id, status: before }).catch(complain), _('Closed'));
  parent.next(id);
}

/** An instant for words like "tomorrow". */
export function instant(word, input) {
  const at = new Date();
  if (word === 'hour') at.setTime(at.getTime() + 3600e3);
  else if (word === 'evening') { at.setHours(18, 0, 0, 0); if (at < new Date()) at.setDate(at.getDate() + 1); }
  else if (word === 'tomorrow') { at.setDate(at.getDate() + 1); at.setHours(9, 0, 0, 0); }
  else if (word === 'monday') { at.setDate(at.getDate() + ((8 - at.getDay()) % 7 || 7)); at.setHours(9, 0, 0, 0); }
  else if (word === 'week') { at.setDate(at.getDate() + 7); at.setHours(9, 0, 0, 0); }
  else { const given = new Date(input?.value || ''); if (Number.isNaN(given.getTime())) return 0; at.setTime(given.getTime()); }
  return at.getTime() * 1000;
}

async function click(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (target.closest('button, a, summary'));
  if (!button || !open) return;
  const id = open;
  const data = button.dataset;
  if (data.do === 'older') older(button);
  else if (data.do === 'back') { event.preventDefault(); parent.back(); }
  else if (data.do === 'close') close();
  else if (data.do === 'reopen') change('status', { status: 'open' });
  else if (data.do === 'waiting') change('status', { status: 'waiting' }, () => act('status', { dialog: id, status: 'open' }), _('Waiting for the client'));
  else if (data.do === 'card') { const box = document.getElementById('inbox'); box?.classList.toggle('no-card'); box?.classList.toggle('show-card'); }
  else if (data.do === 'unread') { change('unread', {}, null, _('Marked unread')); parent.back(); }
  else if (data.do === 'mute') change('mute', { muted: true }, () => act('mute', { dialog: id, muted: false }), _('Muted'));
  else if (data.do === 'tags') tags();
  else if (data.do === 'subject') { const text = await ask(_('Subject')); if (text) change('subject', { subject: text }); }
  else if (data.do === 'merge') merge();
  else if (data.do === 'add-address') addAddress();
  else if (data.do === 'snooze' && !button.hasAttribute('popovertarget')) /** @type {any} */ (document.getElementById('snooze-menu'))?.showPopover();
  else if (data.assign !== undefined) { hide(); change('assign', { user: data.assign }, null, _('Assigned')); }
  else if (data.team !== undefined) { hide(); change('assign', { user: '0', team: data.team }, null, _('Assigned')); }
  else if (data.priority !== undefined) { hide(); change('priority', { priority: data.priority }); }
  else if (data.snooze) {
    const until = instant(data.snooze, /** @type {any} */ (document.getElementById('snooze-at')));
    if (!until) return;
    hide();
    change('snooze', { until: String(until) }, () => act('status', { dialog: id, status: 'open' }), _('Snoozed'));
    parent.next(id);
  } else if (data.untag) change('tag', { remove: [data.untag] });
  else if (data.block) { hide(); const reason = data.blocked ? '' : await ask(_('Why block?'), _('spam')); if (reason !== null) change('block', { address: data.block, reason: data.blocked ? '' : reason || 'blocked' }, null, data.blocked ? _('Unblocked') : _('Blocked: new messages are dropped')); }
  else if (data.retry) change('retry', { message: data.retry, even_if_unknown: data.unknown === 'yes' });
  else if (data.cancel) cancel(data.cancel);
  else if (data.attempts) { const sheet = openSheet(_('Attempts')); sheet.body.innerHTML = await fragment('/inbox/message/' + data.attempts + '/attempts'); }
}

function hide() {
  for (const one of document.querySelectorAll('.menu:popover-open')) /** @type {any} */ (one).hidePopover();
}

/** Take a message back and put its text into the composer again. */
export async function cancel(id) {
  try {
    const answer = await act('cancel', { message: id });
    document.getElementById('m-' + id)?.remove();
    const text = /** @type {HTMLTextAreaElement | null} */ (pane.querySelector('#text'));
    if (text && !text.value) { text.value = answer.result || ''; text.dispatchEvent(new Event('input', { bubbles: true })); text.focus(); }
  } catch (error) { complain(error); }
}

async function tags() {
  const text = await ask(_('Tags'), '', _('Several are separated by commas.'));
  if (text) change('tag', { add: text.split(',').map((one) => one.trim()).filter(Boolean) });
}

async function merge() {
  hide();
  const text = await ask(_('Merge with another dialog'), '', _('Paste the address of the other dialog; its messages come here.'));
  const found = text?.match(/(\d{6,})/);
  if (found) change('merge', { other: found[1] }, null, _('Merged'));
}

async function addAddress() {
  const box = /** @type {HTMLElement | null} */ (card.querySelector('[data-contact]'));
  const value = await ask(_('Add an address'), '', _('An e-mail or a phone number'));
  if (!value || !box) return;
  const kind = value.includes('@') ? 'email' : 'phone';
  change('address', { contact: box.dataset.contact, kind, value }).then(() => reloadHead(open));
}

async function saveContact(event) {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const box = /** @type {HTMLElement | null} */ (input.closest('[data-contact]'));
  if (!box || !input.name) return;
  try {
    await act('contact', { contact: box.dataset.contact, [input.name]: input.value });
    toast(_('Saved'), null, 2);
  } catch (error) { complain(error); }
}

async function unfold(event) {
  const details = /** @type {HTMLDetailsElement} */ (event.target);
  if (!details.open) return;
  if (details.dataset.full) {
    const place = details.querySelector('[data-full-text]');
    if (place && !place.textContent) {
      const answer = await fetch('/inbox/message/' + details.dataset.full + '/text', { headers: { Accept: 'application/json' } });
      if (answer.ok) place.textContent = (await answer.json()).text;
    }
  }
  if (details.dataset.html) {
    const place = details.querySelector('[data-html-frame]');
    if (place && !place.firstChild) {
      const frame_ = document.createElement('iframe');
      frame_.setAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox');
      frame_.setAttribute('referrerpolicy', 'no-referrer');
      frame_.title = _('The original letter');
      frame_.src = '/mail/' + details.dataset.html;
      place.append(frame_);
    }
  }
}

/** Start the pane. */
export function startThread(given) {
  parent = given;
  const here = root();
  if (here) {
    open = here.dataset.dialog || '';
    kept.set(open, { root: here, card: card.innerHTML, at: Date.now(), stale: false });
    pane.querySelector('template')?.remove();
  }
  startComposer({ next: (id) => parent.next(id), current });
  if (here) mount(open);
  document.addEventListener('click', click);
  document.addEventListener('toggle', unfold, true);
  card.addEventListener('change', saveContact);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { seen(); tell('viewing'); } });
  window.addEventListener('focus', seen);
  setInterval(drawPresence, 3000);
  setInterval(() => { if (!document.hidden) tell('viewing'); }, 40000);
  const group = _('Dialog');
  const has = { when: () => Boolean(open) };
  bind('R', _('Answer'), group, () => focusComposer('reply'), has);
  bind('Shift+R', _('Write a note'), group, () => focusComposer('note'), has);
  bind('Alt+L', _('Answer, also while typing'), group, () => focusComposer('reply'), { ...has, typing: true });
  bind('Alt+P', _('Note, also while typing'), group, () => focusComposer('note'), { ...has, typing: true });
  bind('E', _('Close the dialog'), group, close, has);
  bind('Alt+E', _('Close, also while typing'), group, close, { ...has, typing: true });
  bind('A', _('Assign'), group, () => /** @type {any} */ (document.getElementById('assign-menu'))?.showPopover(), has);
  bind('I', _('Assign to me'), group, () => change('assign', { user: document.querySelector('meta[name="me"]')?.getAttribute('content') }, null, _('Assigned')), has);
  bind('S', _('Snooze'), group, () => /** @type {any} */ (document.getElementById('snooze-menu'))?.showPopover(), has);
  bind('L', _('Tags'), group, tags, has);
  bind('U', _('Mark unread'), group, () => { change('unread', {}, null, _('Marked unread')); parent.back(); }, has);
  bind('M', _('Mute'), group, () => change('mute', { muted: true }, null, _('Muted')), has);
}
