// @ts-check
// My day and notices: a task by one line, done by one key, undone by another.
import { loadTexts, _ } from 'hub/i18n';
import { act, complain, fragment, post, toast } from 'hub/api';
import { onItems } from 'hub/live';

const texts = loadTexts();
// Heard before anything else: a quick hand's Enter would send the form itself, and lose the line.
document.addEventListener('submit', (event) => {
  if (!/** @type {HTMLElement} */ (event.target).matches('[data-quick]')) return;
  event.preventDefault();
  add();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || !/** @type {HTMLElement} */ (event.target).closest?.('[data-quick]')) return;
  event.preventDefault();
  add(true);
});
await texts;
await import('hub/app');
const { bind } = await import('hub/keys');

const GROUP = _('My day');
// A card is drawn again under our feet: what is on it is looked for each time.
function quickForm() { return /** @type {HTMLFormElement | null} */ (document.querySelector('[data-quick]')); }
function lineOf(form) { return /** @type {HTMLInputElement | null} */ (form?.querySelector('input[name="text"]') || null); }

/** Read the page again and put its living part in place of the old one. */
async function refresh(focus = '') {
  try {
    const fresh = new DOMParser().parseFromString(await fragment(location.href), 'text/html');
    const kept = focus || current()?.dataset.task || '';
    for (const old of document.querySelectorAll('[data-live]')) {
      const next = fresh.getElementById(old.id);
      if (next && old.innerHTML !== next.innerHTML) old.innerHTML = next.innerHTML;
    }
    if (kept) mark(rows().find((one) => one.dataset.task === kept) || null, false);
    document.dispatchEvent(new CustomEvent('hub:refreshed'));
  } catch (error) { complain(error); }
}
let waiting = 0;
function later() { clearTimeout(waiting); waiting = window.setTimeout(refresh, 400); }

function rows() { return [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-task]'))]; }
function current() { return /** @type {HTMLElement | null} */ (document.querySelector('[data-task].cursor')); }
function mark(row, focus = true) {
  current()?.classList.remove('cursor');
  row?.classList.add('cursor');
  if (focus) { row?.focus({ preventScroll: true }); row?.scrollIntoView({ block: 'nearest' }); }
}
function move(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.indexOf(/** @type {any} */ (current()));
  mark(all[Math.max(0, Math.min(all.length - 1, now < 0 ? 0 : now + step))]);
}

async function finish(row) {
  if (!row) return;
  const task = row.dataset.task || '';
  const all = rows();
  const next = all[all.indexOf(row) + 1] || all[all.indexOf(row) - 1] || null;
  row.classList.add('finished');
  try {
    await act('task-done', { task });
    mark(next === row ? null : next, false);
    toast(_('Done'), () => act('task-done', { task, undo: true }).then(() => refresh(task)).catch(complain));
    await refresh();
  } catch (error) { row.classList.remove('finished'); complain(error); }
}

async function add(done = false) {
  const quick = quickForm();
  const line = lineOf(quick);
  if (!quick || !line || !line.value.trim()) return;
  const text = line.value;
  line.value = '';
  try {
    await texts;
    const made = await post('/day/task', { text, done, kind: quick.dataset.kind, id: quick.dataset.id });
    if (done) toast(_('Done'), () => act('task-done', { task: made.result, undo: true }).then(() => refresh(made.result)).catch(complain));
    await refresh(made.result);
  } catch (error) { line.value = text; complain(error); }
  line.focus();
}

document.addEventListener('change', (event) => {
  const box = /** @type {HTMLElement} */ (event.target);
  if (box.matches('[data-finish]')) finish(box.closest('[data-task]'));
});
document.addEventListener('click', async (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (target.closest('[data-accept]'));
  const task = /** @type {HTMLElement | null} */ (target.closest('[data-review]'))?.dataset.review;
  try {
    if (button && task) { await act('task-review', { task, accept: Boolean(button.dataset.accept) }); await refresh(); }
    if (target.closest('[data-do="read-all"]')) { await act('notices-read', {}); location.reload(); }
    const notice = /** @type {HTMLElement | null} */ (target.closest('.notice.new'));
    if (notice && target.closest('a')) act('notices-read', { notices: [notice.dataset.notice] }).catch(() => {});
  } catch (error) { complain(error); }
});

if (document.querySelector('[data-day]')) {
  bind('J', _('Next task'), GROUP, () => move(1));
  bind('K', _('Task before'), GROUP, () => move(-1));
  bind('Down', _('Next task'), GROUP, () => move(1));
  bind('Up', _('Task before'), GROUP, () => move(-1));
  bind('C', _('A new task'), GROUP, () => lineOf(quickForm())?.focus());
  bind('Space', _('Done'), GROUP, () => finish(current()), { when: () => Boolean(current()) });
  bind('Enter', _('Open'), GROUP, () => /** @type {HTMLElement | null} */ (current()?.querySelector('a'))?.click(), { when: () => Boolean(current()) && document.activeElement?.tagName !== 'BUTTON' });
  onItems((items) => { if (items.some((one) => one.k === 'resync' || (one.k === 'object' && ['task', 'request'].includes(one.kind)) || one.k === 'row')) later(); });
}
if (document.querySelector('[data-notices]')) document.addEventListener('hub:notice', later);
if (document.querySelector('[data-day], [data-notices]')) document.documentElement.dataset.ready = 'day';
