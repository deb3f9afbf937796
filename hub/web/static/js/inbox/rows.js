// @ts-check
// The rows of the list: which belong to the view, where they stand, what of them is personal.
import { duration, localise } from 'hub/i18n';
import { element } from 'hub/api';
import { drawPresence } from 'hub/inbox/presence';

export const rows = /** @type {HTMLElement} */ (document.getElementById('rows'));
export const query = new URLSearchParams(rows?.dataset.query || '');
const me = document.querySelector('meta[name="me"]')?.getAttribute('content') || '0';
const view = rows?.dataset.view || 'all';
const sort = rows?.dataset.sort || 'newest';
export const selected = new Set();

export const rowOf = (id) => document.getElementById('row-' + id);
export const all = () => /** @type {HTMLElement[]} */ ([...rows.querySelectorAll('.row')]);

/** Whether a row belongs to the view that is shown. */
export function belongs(row) {
  const data = row.dataset;
  if (data.merged) return false;
  for (const name of ['account', 'channel', 'assignee', 'team', 'contact']) if (query.get(name) && data[name] !== query.get(name)) return false;
  const tag = query.get('tag');
  if (tag && !(data.tags || '').split(',').includes(tag.toLowerCase())) return false;
  const awake = data.status !== 'closed' && data.status !== 'snoozed';
  if (view === 'mine') return awake && data.assignee === me;
  if (view === 'unassigned') return awake && data.assignee === '0';
  if (view === 'waiting') return awake && data.waiting !== '0';
  if (view === 'waiting_client') return data.status === 'waiting';
  if (view === 'all') return awake;
  if (view === 'snoozed') return data.status === 'snoozed';
  if (view === 'closed') return data.status === 'closed';
  if (view === 'failed') return data.failed === '1';
  if (view === 'everything') return true;
  return Boolean(rowOf(data.id));
}

/** Draw how much of a row is unread. */
export function drawUnread(row) {
  const unread = Math.max(0, Number(row.dataset.inbound) - Number(row.dataset.seen));
  row.classList.toggle('unread', unread > 0);
  const count = row.querySelector('[data-unread]');
  if (!count) return;
  count.hidden = !unread;
  const number = count.querySelector('[data-number]');
  if (number) number.textContent = unread > 99 ? '99+' : String(unread);
}

/** Personal parts of a row that was drawn for everybody: what this user has read and written. */
export function personal(row, old, state) {
  const known = old ? Number(old.dataset.seen) : null;
  const inbound = Number(row.dataset.inbound);
  if (known === null && inbound > 1 && row !== old) return false;
  const open = state.current === row.dataset.id && document.visibilityState === 'visible' && document.hasFocus();
  row.dataset.seen = String(open ? inbound : Math.min(known ?? 0, inbound));
  drawUnread(row);
  for (const name of ['[data-draft]', '[data-muted]']) {
    const was = old?.querySelector(name);
    const now = row.querySelector(name);
    if (was && now) now.hidden = was.hidden;
  }
  row.classList.toggle('open', state.current === row.dataset.id);
  row.classList.toggle('selected', selected.has(row.dataset.id));
  row.classList.toggle('cursor', state.cursor === row.dataset.id);
  row.querySelector('a')?.setAttribute('tabindex', state.cursor === row.dataset.id ? '0' : '-1');
  return true;
}

/** Parse a row of the stream. */
export function parsed(html) {
  const row = localise(element(html));
  drawWaits(row);
  return row;
}

/** Where a row stands. */
export function key(row) {
  if (sort === 'oldest_waiting') return Number(row.dataset.waiting) || Infinity;
  return sort === 'oldest' ? Number(row.dataset.last) : -Number(row.dataset.last);
}

/** Put a row where it belongs; others do not move. */
export function place(row) {
  const mine = key(row);
  let next = rows.firstElementChild;
  while (next && (next === row || (next.classList.contains('row') && key(next) <= mine))) next = next.nextElementSibling;
  if (next === row.nextElementSibling && row.isConnected) return;
  const list = /** @type {any} */ (rows);
  // A row that is moved stays what it is; one that is put in anew is made anew by the browser.
  if (row.isConnected && list.moveBefore) list.moveBefore(row, next); else list.insertBefore(row, next);
}

/** Bring an element up to its fresh drawing; what both have stays as it is, and costs nothing. */
function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const now = [...old.childNodes];
  const then = [...fresh.childNodes];
  if (!old.childElementCount || now.length !== then.length || now.some((one, n) => one.nodeName !== then[n].nodeName)) old.replaceChildren(...then);
  else now.forEach((one, n) => { if (one.nodeType === 1) become(one, then[n]); else if (one.nodeValue !== then[n].nodeValue) one.nodeValue = then[n].nodeValue; });
}

/** Draw a row anew; the pointer and the keyboard stay in it. */
export function redrawRow(old, row) {
  become(old, row);
  drawPresence(old.dataset.id);
}

/** How long people have been waiting, in words and (past an hour) in colour. */
export function drawWaits(within = rows) {
  const now = Date.now();
  for (const one of within.querySelectorAll('.wait')) {
    const waited = now - Number(one.getAttribute('data-since')) / 1000;
    one.textContent = waited < 60e3 ? '' : duration(waited);
    one.classList.toggle('long', waited > 3600e3);
    one.classList.toggle('overdue', waited > 4 * 3600e3);
  }
}
