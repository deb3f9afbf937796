// @ts-check
// The list of dialogs. Updates are gathered and drawn together, at a pace; while the pointer or the
// keyboard is in the list the order stays as it is, and a pill says what is new.
import { _ } from 'hub/i18n';
import { fragment, toast } from 'hub/api';
import { bind, keysWait } from 'hub/keys';
import { onItems } from 'hub/live';
import { startActs } from 'hub/inbox/acts';
import { startComposer } from 'hub/inbox/composer';
import { offerPermission, notifyMention, notifyRow } from 'hub/inbox/notify';
import { pace } from 'hub/inbox/pace';
import { say } from 'hub/inbox/redraw';
import { all, belongs, drawUnread, drawWaits, key, parsed, personal, place, redrawRow, rowOf, rows, selected } from 'hub/inbox/rows';
import { current, leave, openDialog, prefetch, startThread, threadItems } from 'hub/inbox/thread';

/** What is done with many dialogs, with those that hang in the air, or with views, comes when it is asked for. */
const views = () => import('hub/inbox/views');
const many = () => import('hub/inbox/many');
const unlinked = () => import('hub/inbox/unlinked');

/** How many rows are drawn at once: about as many as are in view. */
const PORTION = 12;
const inbox = /** @type {HTMLElement} */ (document.getElementById('inbox'));
const pill = /** @type {HTMLElement} */ (document.getElementById('newpill'));
const bulk = /** @type {HTMLElement} */ (document.getElementById('bulk'));
const hovers = matchMedia('(hover: hover)');
/** @type {Map<string, any>} */
const waiting = new Map();
/** Rows that wait for their place until nobody's hand is in the list. @type {Map<string, any>} */
const late = new Map();
let cursor = '';
const moved = new Set();

const state = () => ({ current: current(), cursor });
// The pill lies on the list: whoever is about to press it has his hand there too.
const busy = () => (hovers.matches && (rows.matches(':hover') || pill.matches(':hover'))) || rows.contains(document.activeElement) || rows.scrollTop > 40;

function drawRow(item, frozen) {
  const row = parsed(item.html);
  const old = rowOf(item.id);
  // What has no place yet is asked for when it gets one.
  if (!old && frozen) { if (belongs(row)) late.set(item.id, { ...item, own: false }); else late.delete(item.id); return; }
  if (!personal(row, item.own ? row : old, state())) {
    // An older dialog that this page has never shown: what was read is known only to the server.
    if (belongs(row)) fragment('/inbox/row/' + item.id).then((html) => { if (!waiting.has(item.id)) wait({ ...item, html, own: true }); }).catch(() => {});
    return;
  }
  if (!belongs(row)) {
    if (old && current() !== item.id) old.remove(); else if (old) redrawRow(old, row);
    moved.delete(item.id);
    late.delete(item.id);
  } else if (old) {
    const shifts = key(old) !== key(row);
    redrawRow(old, row);
    if (shifts && frozen) moved.add(item.id); else if (shifts) place(old);
  } else place(row);
}

/** The newest stands last, so that it is drawn first. */
function wait(item) { waiting.delete(item.id); waiting.set(item.id, item); schedule(); }

/** Draw the newest of what waits, as many as are in view; the others have their turn after them. */
function drawSome(frozen) {
  const batch = [...waiting.values()].slice(-PORTION);
  for (const item of batch) { waiting.delete(item.id); drawRow(item, frozen); }
  drawPill();
  drawEmpty();
  if (waiting.size) schedule();
}

function draw() {
  const frozen = busy();
  if (!frozen && (late.size || moved.size)) settle(false);
  drawSome(frozen);
}

function drawPill() {
  const fresh = moved.size + late.size;
  say(pill, fresh ? _('{n} new ↑', { n: fresh }) : '');
}

function drawEmpty() { document.getElementById('list-empty')?.toggleAttribute('hidden', Boolean(rows.querySelector('.row'))); }

const schedule = pace(draw);

/** Put the rows into their true order now. */
function settle(top = true) {
  for (const row of all()) if (!belongs(row) && current() !== row.dataset.id) row.remove();
  for (const id of moved) { const row = rowOf(id); if (row) place(row); }
  moved.clear();
  for (const [id, item] of late) { late.delete(id); waiting.set(id, waiting.get(id) || item); }
  if (top) { rows.scrollTop = 0; drawSome(false); }
}

/** What the stream brings while the list is read: it may be newer. @type {Map<string, any>} */
const meanwhile = new Map();
let asked = 0;
let reading = 0;
/** Read the whole list again, after a gap. */
async function refresh() {
  const mine = reading = asked += 1;
  try {
    const html = await fragment('/inbox/rows?' + rows.dataset.query);
    if (mine !== asked) return;
    rows.innerHTML = html;
    for (const old of [moved, late]) old.clear();
    for (const row of all()) personal(row, row, state());
    for (const item of meanwhile.values()) wait(item);
    drawPill();
    drawEmpty();
    drawWaits();
    watchMore();
    listError(false);
  } catch { listError(true); } finally { if (mine === asked) { reading = 0; meanwhile.clear(); } }
}

function listError(failed) {
  const bar = document.getElementById('list-error');
  if (bar) bar.hidden = !failed;
}

const scout = new IntersectionObserver(async (found) => {
  for (const entry of found) {
    if (!entry.isIntersecting) continue;
    const more = /** @type {HTMLElement} */ (entry.target);
    scout.unobserve(more);
    const address = new URLSearchParams(rows.dataset.query);
    address.set('before', more.dataset.next || '');
    try {
      const box = document.createElement('template');
      box.innerHTML = await fragment('/inbox/rows?' + address);
      for (const row of box.content.querySelectorAll('.row')) if (rowOf(/** @type {any} */ (row).dataset.id)) row.remove();
      more.replaceWith(box.content);
      drawWaits();
      watchMore();
      listError(false);
    } catch { listError(true); }
  }
}, { root: rows, rootMargin: '600px' });
function watchMore() {
  const more = rows?.querySelector('.more');
  if (more) scout.observe(more);
}

/** Move the row cursor: one row of the list takes part in the order of tabs. */
function setCursor(row, open = true) {
  if (!row) return;
  const before = rowOf(cursor);
  before?.classList.remove('cursor');
  before?.querySelector('a')?.setAttribute('tabindex', '-1');
  cursor = row.dataset.id;
  row.classList.add('cursor');
  const link = row.querySelector('a');
  link?.setAttribute('tabindex', '0');
  if (rows.contains(document.activeElement)) link?.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
  if (open) show(cursor);
}

function step(by, extend = false) {
  const list = all();
  const here = list.findIndex((one) => one.dataset.id === (cursor || current()));
  const next = list[here < 0 ? 0 : Math.max(0, Math.min(list.length - 1, here + by))];
  if (!next) return;
  if (extend && list[here]) toggle(list[here].dataset.id, true);
  if (extend) toggle(next.dataset.id, true);
  setCursor(next, !extend);
}

function neighbours(id) {
  const list = all();
  const here = list.findIndex((one) => one.dataset.id === id);
  const idle = window.requestIdleCallback || ((run) => setTimeout(run, 50));
  idle(() => { for (const near of [list[here + 1], list[here - 1]]) if (near) prefetch(near.dataset.id); });
}

function markOpen(id) {
  for (const one of rows.querySelectorAll('.row.open')) one.classList.remove('open');
  rowOf(id)?.classList.add('open');
}

/** Open a dialog beside the list. */
async function show(id, { push = true, message = '' } = {}) {
  // From where one is, however one came there, the keys go on.
  if (id !== cursor && rowOf(id)) setCursor(rowOf(id), false);
  markOpen(id);
  inbox.classList.add('reading');
  inbox.classList.remove('show-card');
  const address = '/inbox/' + id + (rows.dataset.query ? '?' + rows.dataset.query : '');
  if (push && location.pathname !== '/inbox/' + id) history.pushState({ dialog: id }, '', address);
  await openDialog(id, message);
  const title = document.querySelector('#thread-pane h1')?.textContent;
  if (title) document.title = (document.title.match(/^\(\d+\) /)?.[0] || '') + title + ' · Dialog Hub';
  if (current() === id) neighbours(id);
}

function back(push = true) {
  inbox.classList.remove('reading', 'show-card');
  leave();
  if (push) history.pushState({}, '', '/inbox' + (rows.dataset.query ? '?' + rows.dataset.query : ''));
  markOpen('');
  schedule();
}

/** After "done" the next one comes by itself. */
function next(id) {
  const list = all();
  const here = list.findIndex((one) => one.dataset.id === id);
  const to = list[here + 1] || list[here - 1];
  if (to && to.dataset.id !== id && matchMedia('(min-width: 720px)').matches) setCursor(to); else back();
}

function seen(id) {
  const row = rowOf(id);
  if (row) { row.dataset.seen = row.dataset.inbound; drawUnread(row); }
}

function toggle(id, on = !selected.has(id)) {
  if (on) selected.add(id); else selected.delete(id);
  rowOf(id)?.classList.toggle('selected', on);
  bulk.hidden = !selected.size;
  const words = bulk.querySelector('[data-text]');
  if (words) words.textContent = _('{n} chosen', { n: selected.size });
}

/** A dialog went where this colleague's role does not reach. */
function lose(id) {
  waiting.delete(id);
  meanwhile.delete(id);
  toggle(id, false);
  rowOf(id)?.remove();
  if (current() === id) { toast(_('This dialog is with somebody else now.')); back(); }
}

function takeItems(items) {
  for (const item of items) {
    if (item.k === 'row') { notifyRow(item, rowOf(item.id), (id) => show(id)); wait(item); if (reading) meanwhile.set(item.id, item); }
    else if (item.k === 'lost') lose(item.id);
    else if (item.k === 'mention') { notifyMention(item, (id) => show(id)); toast(_('You are mentioned in a note')); }
    else if (item.k === 'contact') for (const row of rows.querySelectorAll('.row[data-contact="' + item.id + '"]')) rename(/** @type {HTMLElement} */ (row));
    else if (item.k === 'resync') refresh();
  }
  threadItems(items);
}

/** Read a row again; the stream may draw it anew meanwhile. */
async function rename({ dataset: { id } }) {
  try { const now = parsed(await fragment('/inbox/row/' + id)); const old = rowOf(id); if (old) { personal(now, now, state()); redrawRow(old, now); } } catch { /* the next fact brings it */ }
}

function click(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const what = target.closest('[data-do]')?.getAttribute('data-do');
  if (what === 'create') location.href = '/inbox/new';
  else if (what === 'save-view') views().then((all) => all.saveView(rows.dataset.query));
  else if (what === 'list-retry') refresh();
  else if (what === 'drop-view') { event.preventDefault(); views().then((all) => all.dropView(target.closest('[data-view-id]')?.getAttribute('data-view-id'))); }
  const link = target.closest('a[data-open]');
  if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); show(link.getAttribute('data-open')); }
}

/** What is done with the open dialog is done with those that are chosen, where some are. */
function bindMany() {
  const chosen = { when: () => selected.size > 0 };
  const run = (what) => () => keysWait(many().then((all) => { all.doWithMany(what, toggle, refresh); return true; }), true);
  bind('E', _('Close the chosen dialogs'), _('List'), run('close'), chosen);
  bind('I', _('Take the chosen dialogs'), _('List'), run('take'), chosen);
  bind('L', _('Tag the chosen dialogs'), _('List'), run('tag'), chosen);
}

function bindKeys() {
  const list = _('List');
  const inList = { when: () => rows.contains(document.activeElement) || document.activeElement === document.body };
  bind('J', _('Next dialog'), list, () => step(1));
  bind('K', _('Previous dialog'), list, () => step(-1));
  bind('Down', _('Next dialog'), list, () => step(1), inList);
  bind('Up', _('Previous dialog'), list, () => step(-1), inList);
  bind('Alt+J', _('Next dialog, also while typing'), list, () => step(1), { typing: true });
  bind('Alt+K', _('Previous dialog, also while typing'), list, () => step(-1), { typing: true });
  bind('Enter', _('Answer the dialog under the cursor'), list, () => { if (cursor) { show(cursor); document.dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyR' })); } }, inList);
  bind('N', _('Next one that waits'), list, () => {
    const found = all();
    const here = found.findIndex((one) => one.dataset.id === current());
    const to = [...found.slice(here + 1), ...found.slice(0, Math.max(0, here))].find((one) => one.dataset.waiting !== '0');
    if (to) setCursor(to);
  });
  bind('X', _('Choose'), list, () => { const id = cursor || current(); if (id) toggle(id); });
  bind('Shift+J', _('Choose downwards'), list, () => step(1, true));
  bind('Shift+K', _('Choose upwards'), list, () => step(-1, true));
  bind('V', _('Views'), list, () => document.getElementById('views')?.showPopover());
  bind('C', _('Write first'), list, () => { location.href = '/inbox/new'; });
  bind('[', _('Fold the list'), list, () => inbox.classList.toggle('no-list'));
  bind('Esc', _('One layer back'), _('Everywhere'), escape);
}

/** Composer, then dialog, then list; on the way whatever was chosen. */
function escape() {
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  const menu = /** @type {any} */ (document.querySelector('[popover]:popover-open'));
  if (menu) menu.hidePopover();
  else if (selected.size) for (const id of [...selected]) toggle(id, false);
  else if (active?.closest('#composer')) { active.blur(); document.getElementById('log')?.focus(); }
  else if (inbox.classList.contains('show-card')) inbox.classList.remove('show-card');
  else if (active?.id === 'log' && rowOf(current())) rowOf(current())?.querySelector('a')?.focus();
  else if (rows.contains(active)) active?.blur();
  else active?.blur();
}

/** Start the inbox. */
export function startInbox() {
  if (!rows) return;
  try { if (localStorage.getItem('no-card') && matchMedia('(min-width: 1181px)').matches) inbox.classList.add('no-card'); } catch { /* private mode */ }
  startComposer({ next, open: show });
  startThread({ next, back, seen });
  bindMany();
  startActs();
  cursor = current();
  const first = rowOf(cursor) || all()[0];
  first?.querySelector('a')?.setAttribute('tabindex', '0');
  drawWaits();
  setInterval(drawWaits, 20000);
  watchMore();
  onItems(takeItems);
  rows.addEventListener('click', (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.button) return;
    event.preventDefault();
    const row = /** @type {HTMLElement} */ (link.closest('.row'));
    if (event.shiftKey) { toggle(row.dataset.id); return; }
    setCursor(row);
  });
  rows.addEventListener('pointerover', (event) => {
    const row = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('.row'));
    if (row && hovers.matches) prefetch(row.dataset.id);
  });
  rows.addEventListener('pointerleave', () => schedule(300));
  rows.addEventListener('focusout', () => schedule(300));
  rows.addEventListener('scroll', () => { if (rows.scrollTop <= 40 && (late.size || moved.size)) schedule(300); }, { passive: true });
  pill.addEventListener('click', () => settle());
  bulk.querySelector('[data-aside]')?.addEventListener('change', (event) => {
    const choice = /** @type {HTMLSelectElement} */ (event.target);
    const ids = [...selected];
    for (const id of ids) toggle(id, false);
    // Kept, for the choice is taken off before the module is there.
    const reason = choice.value;
    choice.value = '';
    if (reason) unlinked().then((all) => all.setAside(ids, reason, refresh));
  });
  bulk.addEventListener('click', (event) => {
    const what = /** @type {HTMLElement} */ (event.target).closest('[data-bulk]')?.getAttribute('data-bulk');
    if (what) many().then((all) => all.doWithMany(what, toggle, refresh));
  });
  window.addEventListener('popstate', () => {
    const found = location.pathname.match(/^\/inbox\/(\d+)/);
    if (found) show(found[1], { push: false }); else back(false);
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) schedule(0); });
  document.addEventListener('click', click);
  document.addEventListener('hub:open', (event) => { const { dialog, message } = /** @type {CustomEvent} */ (event).detail; show(dialog, { message }); });
  document.addEventListener('hub:draft', (event) => {
    const { dialog, text } = /** @type {CustomEvent} */ (event).detail;
    const mark = rowOf(dialog)?.querySelector('[data-draft]');
    if (mark) /** @type {HTMLElement} */ (mark).hidden = !text;
  });
  document.addEventListener('hub:row', (event) => { const row = rowOf(/** @type {CustomEvent} */ (event).detail); if (row) setTimeout(() => rename(row), 300); });
  bindKeys();
  if (current()) neighbours(current());
  offerPermission();
}
