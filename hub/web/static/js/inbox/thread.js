// @ts-check
// The open dialog: one root with everything of it; the last twelve are kept; new messages are
// drawn once per frame; the place where one reads is never moved.
import { _, localise } from 'hub/i18n';
import { act, complain, fragment } from 'hub/api';
import { keysWait } from 'hub/keys';
import { watchDialogs } from 'hub/live';
import { inFlight, messenger, mountComposer } from 'hub/inbox/composer';
import { atEnd, merge, messageOf, newest, prepend, putMessage, unreadLine } from 'hub/inbox/timeline';
import { redraw, redrawMenu, say } from 'hub/inbox/redraw';
import { drawPresence, startPresence, stopped, takeSignal, tell } from 'hub/inbox/presence';

const KEEP = 12;
const MANY = 80;
const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
const card = /** @type {HTMLElement} */ (document.getElementById('card-pane'));
const empty = pane?.firstElementChild?.classList.contains('thread') ? null : pane?.firstElementChild;
const me = document.querySelector('meta[name="me"]')?.getAttribute('content') || '';
/** @type {Map<string, {root: HTMLElement, card: string, at: number, stale: boolean}>} */
const kept = new Map();
/** @type {Map<string, Promise<string>>} */
const loading = new Map();
/** @type {Map<string, any>} */
const pending = new Map();
let open = '';
let frame = 0;
let fresh = 0;
let parent = { next: (id) => {}, back: () => {}, seen: (id) => {} };

/** The id of the open dialog, "" where none is. */
export function current() { return open; }
export const root = () => /** @type {HTMLElement | null} */ (pane.querySelector('.thread'));
export const log = () => /** @type {HTMLElement | null} */ (pane.querySelector('.log'));
export const entries = () => /** @type {HTMLElement | null} */ (pane.querySelector('#entries'));
export const toList = () => parent.back();
export const toNext = (id) => parent.next(id);

/** Take a dialog's fragment apart: its root, and its card. */
function parse(html) {
  const box = document.createElement('template');
  box.innerHTML = html.trim();
  const found = /** @type {HTMLElement} */ (box.content.querySelector('.thread'));
  const side = /** @type {HTMLTemplateElement | null} */ (box.content.querySelector('template'));
  return { found, side: side ? side.innerHTML : '' };
}

function keep(html) {
  const { found, side } = parse(html);
  const id = found.dataset.dialog || '';
  kept.set(id, { root: found, card: side, at: Date.now(), stale: false });
  const old = [...kept.entries()].filter(([key]) => key !== open).sort((a, b) => a[1].at - b[1].at);
  while (kept.size > KEEP && old.length) kept.delete(/** @type {any} */ (old.shift())[0]);
  return id;
}

/** Read a dialog; gives its id (a dialog that was merged answers under its survivor's). */
function load(id, message = '') {
  const known = message ? null : loading.get(id);
  if (known) return known;
  const work = fragment('/inbox/dialog/' + id + (message ? '?message=' + message : '')).then(keep).finally(() => loading.delete(id));
  loading.set(id, work);
  return work;
}

/** Fetch a neighbour before it is asked for. */
export function prefetch(id) {
  if (!id || id === open || loading.has(id)) return;
  const known = kept.get(id);
  if (known && !known.stale) return;
  load(id).catch(() => {});
}

/** Put a dialog into the pane; `message` is one to be shown, wherever it is. */
export function openDialog(id, message = '') {
  const work = enter(id, message);
  keysWait(work.then(current));
  return work;
}

async function enter(id, message) {
  if (open === id && root() && !message) return;
  remember();
  open = id;
  fresh = 0;
  const known = message ? undefined : kept.get(id);
  if (!known) {
    const slow = window.setTimeout(skeleton, 300);
    try {
      const real = await load(id, message);
      if (open !== id) return;
      open = real;
    } catch (error) {
      if (open === id) { open = ''; pane.replaceChildren(...(empty ? [empty] : [])); card.replaceChildren(); }
      complain(error);
      return;
    } finally { clearTimeout(slow); }
  }
  mount(open);
  // What was kept while things happened is shown at once and brought up to date behind it.
  if (known?.stale) refresh();
}

function skeleton() {
  const box = document.createElement('div');
  box.className = 'skeleton';
  box.setAttribute('aria-busy', 'true');
  for (let n = 0; n < 6; n += 1) box.append(document.createElement('i'));
  pane.replaceChildren(box);
}

/** Keep the pane's dialog as it stands. */
function remember() {
  const here = root();
  // The one before it still stands here while a dialog is on its way.
  if (!here || here.dataset.dialog !== open) return;
  kept.set(open, { root: here, card: card.innerHTML, at: Date.now(), stale: kept.get(open)?.stale || false });
}

function mount(id) {
  const known = kept.get(id);
  if (!known) return;
  known.at = Date.now();
  pane.replaceChildren(known.root);
  card.innerHTML = known.card;
  settle();
  drawPresence(id);
  watchDialogs([id + ':' + known.root.dataset.position]);
  mountComposer(known.root, id);
  latePanels();
  seen();
  tell('viewing', id);
  if (pending.size && !frame) frame = requestAnimationFrame(draw);
}

/** Go where one wants to begin: a found message, the unread line, or the end. */
function settle() {
  const box = log();
  const list = entries();
  if (!box || !list) return;
  const found = root()?.dataset.found;
  const target = found ? list.querySelector('#m-' + found) : list.querySelector('#unread-line');
  if (found && target) { target.classList.add('found'); box.scrollTop = /** @type {HTMLElement} */ (target).offsetTop - box.clientHeight / 3; }
  else if (target) box.scrollTop = Math.max(0, /** @type {HTMLElement} */ (target).offsetTop - 80);
  else box.scrollTop = box.scrollHeight;
  endButton();
  watchOlder(list.querySelector('[data-older]'));
}

/** What is read at its end need not grow for ever. */
async function shorten(list, box) {
  if (list.childElementCount <= MANY) return;
  const { trim } = await import('hub/inbox/trim');
  const line = root()?.contains(list) && atEnd(box) ? trim(list, box) : null;
  if (line) watchOlder(line);
}

function watchOlder(line) {
  scout.disconnect();
  if (line) scout.observe(line);
}

/** Nothing is open any more. */
export function leave() {
  remember();
  tell('left', open);
  open = '';
  if (empty) pane.replaceChildren(empty);
  card.replaceChildren();
  watchDialogs([]);
}

let seenTimer = 0;
/** The mark that is on its way: who marks unread then waits for it, or the hub may take them the other way round. */
export let marking = Promise.resolve();
/** Note that what stands at the end was really seen. */
export function seen() {
  clearTimeout(seenTimer);
  const id = open;
  seenTimer = window.setTimeout(() => {
    const here = root();
    const list = entries();
    if (!here || !list || document.hidden || open !== id || !document.hasFocus() || here.dataset.gap) return;
    const last = newest(list)?.dataset.message;
    if (!last || here.dataset.read === last) return;
    here.dataset.read = last;
    marking = act('read', { dialog: id, message: last }).then(() => document.dispatchEvent(new Event('hub:counters'))).catch(() => { here.dataset.read = ''; });
    parent.seen(id);
  }, 500);
}

/** Mark unread, from a message on; looking does not undo it until something is opened again. */
export function unseen() { const here = root(); if (here) here.dataset.read = newest(here)?.dataset.message || ''; }

/** Take what the stream brought. */
export function threadItems(items) {
  for (const item of items) {
    if (item.k === 'msg' || item.k === 'gone') pending.set(item.id, item);
    else if (item.k === 'head' || item.k === 'whole') { if (item.id === open) refresh(); }
    else if (item.k === 'contact') { if (root()?.dataset.contact === item.id) refresh(); }
    else if (item.k === 'signal') takeSignal(item);
    else if (item.k === 'resync') resync();
    if (item.k === 'row' && item.id === open) messenger()?.takeWindow(item.window);
    if (item.k === 'row' && item.id !== open) { const known = kept.get(item.id); if (known) known.stale = true; }
  }
  if (pending.size && !frame) frame = requestAnimationFrame(draw);
}

/** Draw what waits: once per frame, whatever came. */
export function draw() {
  frame = 0;
  const box = log();
  const list = entries();
  // Between two dialogs: what belongs to the one that is being read waits for it.
  if (!box || !list || root()?.dataset.dialog !== open) {
    for (const [id, item] of pending) if (item.dialog !== open) pending.delete(id);
    return;
  }
  const stick = atEnd(box) && !root()?.dataset.gap;
  let came = 0;
  for (const [id, item] of pending) {
    // Our own message stands here as a sketch: its answer tells which it is.
    if (item.k === 'msg' && item.by === me && item.way !== 'in' && inFlight() && !list.querySelector('#m-' + id)) continue;
    pending.delete(id);
    if (reading) meanwhile.set(id, item);
    came += put(list, id, item);
  }
  if (stick) { box.scrollTop = box.scrollHeight; shorten(list, box); } else fresh += came;
  endButton();
  if (came) { seen(); announce(list); }
}

function put(list, id, item) {
  if (item.k === 'gone') list.querySelector('#m-' + id)?.remove();
  return item.k === 'msg' && item.dialog === open ? place(list, item) : 0;
}

function place(list, item) {
  if (root()?.dataset.gap && !list.querySelector('#m-' + item.id)) return item.way === 'in' ? 1 : 0;
  const node = messageOf(item.html);
  if (!putMessage(list, node)) return 0;
  const here = root();
  // What comes last, which is not always what stands last: an answer that can be undone does.
  if (here) here.dataset.lastMessage = item.id;
  if (item.way !== 'in') return 0;
  stopped(open, 'contact');
  if (document.hidden || !document.hasFocus()) unreadLine(list, node);
  return 1;
}

function endButton() {
  const button = /** @type {HTMLElement | null} */ (pane.querySelector('[data-do="to-end"]'));
  const box = log();
  if (!button || !box) return;
  const away = !atEnd(box);
  if (!away) fresh = 0;
  say(button, fresh ? _('{n} new ↓', { n: fresh }) : root()?.dataset.gap ? _('To the newest ↓') : '');
}

/** Show the newest messages. */
export async function toEnd() {
  const id = open;
  if (root()?.dataset.gap) {
    kept.delete(id);
    open = '';
    await openDialog(id);
  }
  const box = log();
  if (box) box.scrollTop = box.scrollHeight;
  endButton();
}

let announced = 0;
function announce(list) {
  const now = Date.now();
  if (now - announced < 3000) return;
  announced = now;
  const says = pane.querySelector('#announce');
  const all = list.querySelectorAll('.msg.in .text');
  if (says && all.length) says.textContent = all[all.length - 1].textContent || '';
}

let refreshing = 0;
/** How many readings are on their way; which of them was asked last, and which was drawn last. */
let reading = 0;
let asked = 0;
let drawn = 0;
/** What the stream brought while a dialog was being read: it may be newer than what was read. @type {Map<string, any>} */
const meanwhile = new Map();
/** Somebody presses a button of what would be drawn anew: the press would be lost. */
const held = () => Boolean(pane.querySelector('.thread-head:active') || card.matches(':active'));
/** Read the open dialog again, all of its parts at once; what is being written stays. */
export function refresh() {
  clearTimeout(refreshing);
  refreshing = window.setTimeout(async () => {
    const id = open;
    if (!id || root()?.dataset.gap) return;
    if (held()) { refresh(); return; }
    const mine = asked += 1;
    reading += 1;
    try {
      const { found, side } = parse(await fragment('/inbox/dialog/' + id));
      const here = root();
      if (open !== id || here?.dataset.dialog !== id || mine < drawn) return;
      if (held()) { refresh(); return; }
      drawn = mine;
      if (found.dataset.dialog !== id) { open = ''; kept.delete(id); await openDialog(found.dataset.dialog || ''); return; }
      const known = kept.get(id);
      if (known) known.stale = false;
      update(here, found, side);
      const list = entries();
      if (list) for (const [one, item] of meanwhile) put(list, one, item);
    } catch { /* the next fact asks again */ } finally { reading -= 1; if (!reading) meanwhile.clear(); }
  }, 80);
}

function update(here, found, side) {
  const box = log();
  const stick = box ? atEnd(box) : false;
  redraw(here.querySelector('.thread-head'), found.querySelector('.thread-head'));
  for (const name of ['assign-menu', 'snooze-menu', 'more-menu']) {
    const menu = found.querySelector('#' + name);
    const old = here.querySelector('#' + name);
    if (menu && old) redrawMenu(old, menu);
  }
  for (const name of ['position', 'version', 'status', 'muted', 'contact', 'lastMessage']) here.dataset[name] = found.dataset[name] || '';
  const list = entries();
  const fragmentList = found.querySelector('#entries');
  if (list && fragmentList) merge(list, fragmentList);
  if (!card.contains(document.activeElement)) { card.innerHTML = side; latePanels(); }
  if (box && stick) box.scrollTop = box.scrollHeight;
  drawPresence(open);
  seen();
}

/** After a gap: what was kept is old, and so is what is shown. */
function resync() {
  for (const one of kept.values()) one.stale = true;
  if (open) refresh();
}

/** Plugins that needed longer bring their sections now. */
async function latePanels() {
  const late = card.querySelector('[data-late]');
  if (!late) return;
  const id = late.getAttribute('data-late');
  try {
    const html = await fragment('/inbox/dialog/' + id + '/panels');
    const here = card.querySelector('.card');
    if (here?.getAttribute('data-card') !== id) return;
    for (const one of here.querySelectorAll('[data-plugin], [data-late]')) one.remove();
    here.insertAdjacentHTML('beforeend', html);
  } catch { /* their place says so */ }
}

const scout = new IntersectionObserver((found) => {
  for (const one of found) if (one.isIntersecting) older(one.target);
}, { rootMargin: '300px 0px 0px 0px' });

/** Bring an earlier page; the place where one reads stays where it is. */
export async function older(sep) {
  const box = log();
  const list = entries();
  if (!box || !list || !sep.isConnected || sep.hasAttribute('aria-busy')) return;
  sep.setAttribute('aria-busy', 'true');
  scout.disconnect();
  const id = open;
  try {
    const html = await fragment('/inbox/dialog/' + id + '/messages?before=' + sep.getAttribute('data-older'));
    if (open !== id) return;
    const first = document.createElement('template');
    first.innerHTML = html;
    localise(first.content);
    const height = box.scrollHeight;
    const top = box.scrollTop;
    prepend(list, sep, first.content);
    box.scrollTop = top + box.scrollHeight - height;
    const again = list.querySelector('[data-older]');
    if (again) requestAnimationFrame(() => scout.observe(again));
  } catch (error) { sep.removeAttribute('aria-busy'); complain(error); }
}

/** Start the pane. */
export function startThread(given) {
  parent = given;
  startPresence(current);
  const here = root();
  if (here) {
    open = here.dataset.dialog || '';
    kept.set(open, { root: here, card: card.innerHTML, at: Date.now(), stale: false });
    pane.querySelector('template')?.remove();
    mount(open);
  }
  pane.addEventListener('scroll', (event) => { if (/** @type {HTMLElement} */ (event.target).id === 'log') endButton(); }, true);
  document.addEventListener('hub:sent', () => { if (pending.size && !frame) frame = requestAnimationFrame(draw); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { seen(); tell('viewing', open); } });
  window.addEventListener('focus', seen);
  setInterval(() => { if (!document.hidden) tell('viewing', open); }, 40000);
}
