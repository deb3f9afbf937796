// @ts-check
// The list of dialogs. Updates are gathered and drawn at most every 150 ms; while the pointer or
// the keyboard is in the list the order stays as it is, and a pill says what is new.
import { _, duration } from 'hub/i18n';
import { act, complain, element, fragment, toast } from 'hub/api';
import { bind } from 'hub/keys';
import { isLeader, onItems } from 'hub/live';
import { current, leave, openDialog, prefetch, startThread, threadItems } from 'hub/inbox/thread';

const LIST_MS = 150;
const inbox = /** @type {HTMLElement} */ (document.getElementById('inbox'));
const rows = /** @type {HTMLElement} */ (document.getElementById('rows'));
const pill = /** @type {HTMLElement} */ (document.getElementById('newpill'));
const bulk = /** @type {HTMLElement} */ (document.getElementById('bulk'));
const me = document.querySelector('meta[name="me"]')?.getAttribute('content') || '0';
const query = new URLSearchParams(rows?.dataset.query || '');
const view = rows?.dataset.view || 'all';
const sort = rows?.dataset.sort || 'newest';
/** @type {Map<string, any>} */
const waiting = new Map();
const selected = new Set();
let timer = 0;
let cursor = '';
let fresh = 0;

const rowOf = (id) => document.getElementById('row-' + id);
const all = () => /** @type {HTMLElement[]} */ ([...rows.querySelectorAll('.row')]);
const busy = () => rows.matches(':hover') || rows.contains(document.activeElement);

/** Whether a row belongs to the view that is shown. */
function belongs(row) {
  const status = row.dataset.status;
  if (query.get('account') && row.dataset.account !== query.get('account')) return false;
  if (query.get('channel') && row.dataset.channel !== query.get('channel')) return false;
  if (query.get('assignee') && row.dataset.assignee !== query.get('assignee')) return false;
  if (query.get('tag') || query.get('team') || query.get('contact')) return Boolean(rowOf(row.dataset.id));
  const awake = status !== 'closed' && status !== 'snoozed';
  if (view === 'mine') return awake && row.dataset.assignee === me;
  if (view === 'unassigned') return awake && row.dataset.assignee === '0';
  if (view === 'waiting') return awake && row.dataset.waiting !== '0';
  if (view === 'all') return awake;
  if (view === 'snoozed') return status === 'snoozed';
  if (view === 'closed') return status === 'closed';
  return Boolean(rowOf(row.dataset.id));
}

/** Personal parts of a row that was drawn for everybody: what this user has read. */
function personal(row, old) {
  const known = old ? Number(old.dataset.seen) : null;
  const inbound = Number(row.dataset.inbound);
  if (known === null && inbound > 1) return false;
  const open = current() === row.dataset.id && document.visibilityState === 'visible';
  const seen = open ? inbound : Math.min(known ?? 0, inbound);
  row.dataset.seen = String(seen);
  const unread = inbound - seen;
  row.classList.toggle('unread', unread > 0);
  const count = row.querySelector('[data-unread]');
  if (count) { count.textContent = String(unread); count.hidden = !unread; }
  row.classList.toggle('open', current() === row.dataset.id);
  row.classList.toggle('selected', selected.has(row.dataset.id));
  row.classList.toggle('cursor', cursor === row.dataset.id);
  return true;
}

function place(row) {
  const key = (one) => sort === 'oldest_waiting' ? Number(one.dataset.waiting) || Infinity : sort === 'oldest' ? Number(one.dataset.last) : -Number(one.dataset.last);
  const mine = key(row);
  const next = all().find((one) => one !== row && key(one) > mine);
  rows.insertBefore(row, next || rows.querySelector('.more'));
}

async function drawRow(item, frozen) {
  const row = element(item.html);
  const old = rowOf(item.id);
  if (!personal(row, old)) {
    // An older dialog that this page has never shown: what was read is known only to the server.
    try { Object.assign(row.dataset, element(await fragment('/inbox/row/' + item.id)).dataset); personal(row, row); } catch { return; }
  }
  if (!belongs(row)) {
    if (old && current() !== item.id) old.remove();
    else if (old) old.replaceWith(row);
    return;
  }
  if (old) {
    const moved = old.dataset.last !== row.dataset.last;
    old.replaceWith(row);
    if (moved && !frozen) place(row);
    else if (moved) fresh += 1;
  } else if (frozen) {
    fresh += 1;
    waiting.set('late:' + item.id, item);
  } else place(row);
  document.getElementById('list-empty')?.setAttribute('hidden', '');
}

async function draw() {
  timer = 0;
  const frozen = busy() || rows.scrollTop > 40;
  const batch = [...waiting.entries()].filter(([key]) => !frozen || !key.startsWith('late:'));
  for (const [key] of batch) waiting.delete(key);
  for (const [, item] of batch) await drawRow(item, frozen);
  if (!frozen) fresh = 0;
  pill.hidden = !fresh;
  if (fresh) pill.textContent = _('{n} new ↑', { n: fresh });
  drawWaits();
}

function schedule(ms = LIST_MS) {
  if (!timer) timer = window.setTimeout(draw, document.hidden ? 1000 : ms);
}

/** Put the rows into their true order now. */
function settle() {
  fresh = 0;
  pill.hidden = true;
  for (const row of all()) if (!belongs(row) && current() !== row.dataset.id) row.remove();
  const late = [...waiting.entries()].filter(([key]) => key.startsWith('late:'));
  for (const [key, item] of late) { waiting.delete(key); drawRow(item, false); }
  const key = (one) => sort === 'oldest_waiting' ? Number(one.dataset.waiting) || Infinity : sort === 'oldest' ? Number(one.dataset.last) : -Number(one.dataset.last);
  const more = rows.querySelector('.more');
  for (const row of all().sort((a, b) => key(a) - key(b))) rows.insertBefore(row, more);
  rows.scrollTop = 0;
}

/** How long people have been waiting, in words and (past an hour) in colour. */
function drawWaits() {
  const now = Date.now();
  for (const one of rows.querySelectorAll('.wait')) {
    const since = Number(one.getAttribute('data-since')) / 1000;
    one.textContent = now - since < 60e3 ? '' : duration(now - since);
    one.classList.toggle('long', now - since > 3600e3);
    one.classList.toggle('overdue', now - since > 4 * 3600e3);
  }
}

/** Read the whole list again, after a gap. */
async function refresh() {
  try {
    rows.innerHTML = await fragment('/inbox/rows?' + rows.dataset.query);
    for (const row of all()) personal(row, row);
    document.getElementById('list-empty')?.toggleAttribute('hidden', all().length > 0);
    drawWaits();
    watchMore();
  } catch { /* the rows that are there stay */ }
}

const scout = new IntersectionObserver(async (entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    const more = /** @type {HTMLElement} */ (entry.target);
    scout.unobserve(more);
    const address = new URLSearchParams(rows.dataset.query);
    address.set('before', more.dataset.next || '');
    try {
      const html = await fragment('/inbox/rows?' + address);
      more.insertAdjacentHTML('beforebegin', html);
      more.remove();
      drawWaits();
      watchMore();
    } catch { scout.observe(more); }
  }
}, { rootMargin: '600px' });
function watchMore() {
  const more = rows.querySelector('.more');
  if (more) scout.observe(more);
}

function setCursor(row, open = true) {
  if (!row) return;
  rowOf(cursor)?.classList.remove('cursor');
  cursor = row.dataset.id;
  row.classList.add('cursor');
  row.scrollIntoView({ block: 'nearest' });
  if (open) show(cursor);
}

function step(by, extend = false) {
  const list = all();
  const here = list.findIndex((one) => one.dataset.id === (cursor || current()));
  const next = list[Math.max(0, Math.min(list.length - 1, here + by))];
  if (!next) return;
  if (extend) { toggle(next.dataset.id, true); setCursor(next, false); } else setCursor(next);
}

/** Open a dialog beside the list. */
export async function show(id, push = true) {
  for (const one of rows.querySelectorAll('.row.open')) one.classList.remove('open');
  rowOf(id)?.classList.add('open');
  inbox.classList.add('reading');
  if (push && location.pathname !== '/inbox/' + id) history.pushState({ dialog: id }, '', '/inbox/' + id + (rows.dataset.query ? '?' + rows.dataset.query : ''));
  await openDialog(id);
  const row = rowOf(id);
  if (row) { row.dataset.seen = row.dataset.inbound; personal(row, row); }
  const list = all();
  const here = list.findIndex((one) => one.dataset.id === id);
  for (const near of [list[here + 1], list[here - 1]]) if (near) prefetch(near.dataset.id);
}

function back() {
  inbox.classList.remove('reading');
  leave();
  history.pushState({}, '', '/inbox' + (rows.dataset.query ? '?' + rows.dataset.query : ''));
  for (const one of rows.querySelectorAll('.row.open')) one.classList.remove('open');
}

/** After "done" the next one that waits comes by itself. */
export function next(id) {
  const list = all();
  const here = list.findIndex((one) => one.dataset.id === id);
  const to = list[here + 1] || list[here - 1];
  if (to && to.dataset.id !== id) setCursor(to);
  else back();
}

function toggle(id, on = !selected.has(id)) {
  if (on) selected.add(id); else selected.delete(id);
  rowOf(id)?.classList.toggle('selected', on);
  bulk.hidden = !selected.size;
  const words = bulk.querySelector('[data-text]');
  if (words) words.textContent = _('{n} chosen', { n: selected.size });
}

async function bulkDo(what) {
  const ids = [...selected];
  for (const id of ids) toggle(id, false);
  if (what === 'none') return;
  const before = new Map(ids.map((id) => [id, rowOf(id)?.dataset.status || 'open']));
  try {
    await Promise.all(ids.map((id) => what === 'close' ? act('status', { dialog: id, status: 'closed' }) : act('assign', { dialog: id, user: me })));
    toast(what === 'close' ? _('Closed: {n}', { n: ids.length }) : _('Taken: {n}', { n: ids.length }), what === 'close' ? () => ids.forEach((id) => act('status', { dialog: id, status: before.get(id) === 'waiting' ? 'waiting' : 'open' }).catch(complain)) : null);
  } catch (error) { complain(error); }
}

function notify(item) {
  if (!isLeader() || document.hasFocus() || item.last !== 'in' || !item.mine) return;
  if (typeof Notification !== 'undefined' && Notification.permission === 'granted') {
    const row = element(item.html);
    const name = row.querySelector('.name')?.textContent || 'Dialog Hub';
    const one = new Notification(name, { body: row.querySelector('.last')?.textContent || '', tag: 'dialog-' + item.id });
    one.onclick = () => { window.focus(); show(item.id); one.close(); };
  }
}

/** Start the inbox. */
export function startInbox() {
  if (!rows) return;
  startThread({ next, back, refreshRow: (id) => { const row = rowOf(id); if (row) { row.dataset.seen = row.dataset.inbound; personal(row, row); } } });
  for (const row of all()) if (row.classList.contains('open')) cursor = row.dataset.id || '';
  drawWaits();
  setInterval(drawWaits, 20000);
  watchMore();
  onItems((items) => {
    for (const item of items) {
      if (item.k === 'row') { waiting.set(item.id, item); notify(item); }
      if (item.k === 'resync') refresh();
    }
    threadItems(items);
    if (waiting.size) schedule();
  });
  rows.addEventListener('click', (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const row = /** @type {HTMLElement} */ (link.closest('.row'));
    setCursor(row);
  });
  rows.addEventListener('pointerover', (event) => {
    const row = /** @type {HTMLElement} */ (event.target).closest('.row');
    if (row) prefetch(/** @type {HTMLElement} */ (row).dataset.id);
  });
  rows.addEventListener('pointerleave', () => schedule(400));
  rows.addEventListener('focusout', () => schedule(400));
  pill.addEventListener('click', settle);
  bulk.addEventListener('click', (event) => {
    const what = /** @type {HTMLElement} */ (event.target).closest('[data-bulk]')?.getAttribute('data-bulk');
    if (what) bulkDo(what);
  });
  window.addEventListener('popstate', () => {
    const found = location.pathname.match(/^\/inbox\/(\d+)/);
    if (found) show(found[1], false);
    else { inbox.classList.remove('reading'); leave(); }
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) schedule(0); });
  document.addEventListener('click', async (event) => {
    const what = /** @type {HTMLElement} */ (event.target).closest('[data-do]')?.getAttribute('data-do');
    if (what === 'create') location.href = '/inbox/new';
    if (what === 'save-view') {
      const { ask } = await import('hub/keys');
      const name = await ask(_('Name of the view'));
      if (name) act('view', { name, query: rows.dataset.query }).then(() => toast(_('Saved'))).catch(complain);
    }
  });
  const list = _('List');
  bind('J', _('Next dialog'), list, () => step(1));
  bind('K', _('Previous dialog'), list, () => step(-1));
  bind('Down', _('Next dialog'), list, () => step(1), { when: () => rows.contains(document.activeElement) || document.activeElement === document.body });
  bind('Up', _('Previous dialog'), list, () => step(-1), { when: () => rows.contains(document.activeElement) || document.activeElement === document.body });
  bind('Alt+J', _('Next dialog, also while typing'), list, () => step(1), { typing: true });
  bind('Alt+K', _('Previous dialog, also while typing'), list, () => step(-1), { typing: true });
  bind('Enter', _('Open'), list, () => { if (cursor) show(cursor).then(() => document.getElementById('text')?.focus()); });
  bind('N', _('Next one that waits'), list, () => {
    const all_ = all();
    const here = all_.findIndex((one) => one.dataset.id === current());
    const to = [...all_.slice(here + 1), ...all_.slice(0, Math.max(0, here))].find((one) => one.dataset.waiting !== '0');
    if (to) setCursor(to);
  });
  bind('X', _('Choose'), list, () => { const id = cursor || current(); if (id) toggle(id); });
  bind('Shift+J', _('Choose downwards'), list, () => step(1, true));
  bind('Shift+K', _('Choose upwards'), list, () => step(-1, true));
  bind('C', _('Write first'), list, () => { location.href = '/inbox/new'; });
  bind('[', _('Fold the list'), list, () => inbox.classList.toggle('no-list'));
  bind(']', _('Fold the client card'), list, () => { inbox.classList.toggle('no-card'); inbox.classList.toggle('show-card'); });
  const opened = current();
  if (opened) {
    const list_ = all();
    const here = list_.findIndex((one) => one.dataset.id === opened);
    for (const near of [list_[here + 1], list_[here - 1]]) if (near) prefetch(near.dataset.id);
  }
  if (typeof Notification !== 'undefined' && Notification.permission === 'default') {
    document.addEventListener('click', () => Notification.requestPermission().catch(() => {}), { once: true });
  }
}

