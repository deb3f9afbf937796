// @ts-check
// Lists and cards of objects: the row cursor, the selection, the filter bar, and being up to date.
import { loadTexts, _ } from 'hub/i18n';
import { complain, element, fragment, toast } from 'hub/api';
import { onItems } from 'hub/live';

await loadTexts();
// The keys of every page first.
await import('hub/app');
const { bind } = await import('hub/keys');

const list = /** @type {HTMLElement | null} */ (document.querySelector('[data-objects]'));
const card = /** @type {HTMLElement | null} */ (document.querySelector('[data-object]'));
const GROUP = _('Lists');

function rows() { return [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-rows] tbody tr[data-id]'))]; }
function current() { return /** @type {HTMLElement | null} */ (document.querySelector('[data-rows] tr.cursor')); }
function box(row) { return /** @type {HTMLInputElement | null} */ (row?.querySelector('input[name="id"]') || null); }

function move(step, extend = false) {
  const all = rows();
  if (!all.length) return;
  const now = all.indexOf(/** @type {any} */ (current()));
  const next = all[Math.max(0, Math.min(all.length - 1, now < 0 ? 0 : now + step))];
  if (extend) for (const one of [current(), next]) { const tick = box(one); if (tick) tick.checked = true; }
  current()?.classList.remove('cursor');
  next.classList.add('cursor');
  /** @type {HTMLElement | null} */ (next.querySelector('a'))?.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
  if (extend) drawBulk();
  document.dispatchEvent(new CustomEvent('hub:cursor'));
}

function drawBulk() {
  const bar = /** @type {HTMLElement | null} */ (document.getElementById('bulk'));
  if (!bar) return;
  const count = document.querySelectorAll('[data-rows] input[name="id"]:checked').length;
  bar.hidden = !count;
  const words = bar.querySelector('[data-selected]');
  if (words) words.textContent = String(count);
  const merge = /** @type {HTMLElement | null} */ (bar.querySelector('[data-do="merge"]'));
  if (merge) merge.hidden = count !== 2;
}

function unselect() {
  for (const one of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('[data-rows] input[name="id"]:checked'))) one.checked = false;
  drawBulk();
}

/** Read the page again and put its living parts in place of the old ones. */
let waiting = 0;
function refresh() {
  clearTimeout(waiting);
  waiting = window.setTimeout(async () => {
    // Nothing is drawn anew under a card that somebody holds.
    if (document.documentElement.dataset.busy) { refresh(); return; }
    try {
      const fresh = new DOMParser().parseFromString(await fragment(location.href), 'text/html');
      const cursor = current()?.dataset.id;
      const ticked = new Set([...document.querySelectorAll('[data-rows] input[name="id"]:checked')].map((one) => /** @type {HTMLInputElement} */ (one).value));
      if (document.documentElement.dataset.busy) { refresh(); return; }
      document.dispatchEvent(new CustomEvent('hub:refreshing'));
      for (const old of document.querySelectorAll('[data-live]')) {
        const next = fresh.getElementById(old.id);
        if (next && old.innerHTML !== next.innerHTML) old.innerHTML = next.innerHTML;
      }
      for (const one of rows()) {
        one.classList.toggle('cursor', one.dataset.id === cursor);
        const tick = box(one);
        if (tick) tick.checked = ticked.has(tick.value);
      }
      drawBulk();
      document.dispatchEvent(new CustomEvent('hub:refreshed'));
    } catch (error) { complain(error); }
  }, 400);
}

/** Offer an act for the selected rows; without a selection for the row under the cursor. */
function offer(name) {
  const field = /** @type {HTMLElement | null} */ (document.querySelector('#bulk [name="' + name + '"]'));
  if (!field) return;
  if (!document.querySelector('[data-rows] input[name="id"]:checked')) {
    const tick = box(current());
    if (!tick) return;
    tick.checked = true;
    drawBulk();
  }
  field.focus();
}

function startList() {
  const offers = (name) => ({ when: () => Boolean(document.querySelector('#bulk [name="' + name + '"]')) });
  bind('A', _('Assign'), GROUP, () => offer('owner'), offers('owner'));
  bind('P', _('Priority'), GROUP, () => offer('priority'), offers('priority'));
  bind('J', _('Next row'), GROUP, () => move(1));
  bind('K', _('Row before'), GROUP, () => move(-1));
  bind('Down', _('Next row'), GROUP, () => move(1));
  bind('Up', _('Row before'), GROUP, () => move(-1));
  bind('Shift+J', _('Select downwards'), GROUP, () => move(1, true));
  bind('Shift+K', _('Select upwards'), GROUP, () => move(-1, true));
  bind('X', _('Select the row'), GROUP, () => { const tick = box(current()); if (tick) { tick.checked = !tick.checked; drawBulk(); } });
  bind('Enter', _('Open the row'), GROUP, () => /** @type {HTMLElement | null} */ (current()?.querySelector('a'))?.click(), { when: () => !!current() && !(document.activeElement instanceof HTMLButtonElement) && document.activeElement?.tagName !== 'SUMMARY' });
  bind('C', _('Create'), GROUP, () => {
    const add = /** @type {HTMLDetailsElement | null} */ (document.querySelector('[data-add]'));
    if (!add) return;
    add.open = true;
    /** @type {HTMLElement | null} */ (add.querySelector('input:not([type="hidden"]), select, textarea'))?.focus();
  });
  bind('F', _('Filter the list'), GROUP, () => {
    const pop = /** @type {HTMLDetailsElement | null} */ (document.querySelector('[data-filter]'));
    if (!pop) return;
    pop.open = true;
    /** @type {HTMLElement | null} */ (pop.querySelector('[data-field]'))?.focus();
  });
}

// What is done on a card by key, and on a list with the row under the cursor: its card opens there.
const PARTS = [
  ['Shift+Q', _('Convert to a client'), '#convert', ['lead']],
  ['Shift+X', _('Reject'), '#reject', ['lead']],
  ['M', _('Merge'), '/merge', ['client', 'contact', 'lead']],
];

/** Where a part is: itself on a card, also on one beside a list; else, for who may change what the list holds, the link of the row. */
function place(part) {
  const own = document.querySelector((list ? '#beside ' : 'main ') + (part.startsWith('#') ? 'details' + part : 'a[href$="' + part + '"]'));
  return own || (list && document.getElementById('bulk') && current()?.querySelector('a'));
}

const ticked = () => [...document.querySelectorAll('[data-rows] input[name="id"]:checked')].map((one) => /** @type {HTMLInputElement} */ (one).value);
/** Look at two selected rows as one card: the older lives on. */
function mergeTwo() {
  const ids = ticked().map(BigInt);
  if (ids.length !== 2) return false;
  const [first, second] = ids.sort((a, b) => (a < b ? -1 : 1));
  location.href = list?.dataset.path + '/' + first + '/merge?with=' + second;
  return true;
}

function startParts() {
  for (const [combo, label, part, kinds] of /** @type {[string, string, string, string[]][]} */ (PARTS)) {
    if (!kinds.includes((list?.dataset.objects || card?.dataset.object || '')) && (list || !place(part))) continue;
    bind(combo, label, list ? GROUP : _('Card'), () => {
      if (part === '/merge' && list && mergeTwo()) return;
      const found = place(part);
      if (found instanceof HTMLDetailsElement) {
        found.open = true;
        /** @type {HTMLElement | null} */ (found.querySelector('input:not([type="hidden"])'))?.focus();
      } else if (found instanceof HTMLAnchorElement) location.href = found.href + (found.closest('[data-rows]') ? part : '');
    }, { when: () => Boolean(place(part)) || (part === '/merge' && ticked().length === 2) });
  }
}

/** @type {HTMLInputElement | null} */
let lastTick = null;
document.addEventListener('click', (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest('[data-do="unselect"]')) unselect();
  if (target.closest('[data-do="merge"]')) mergeTwo();
  if (target instanceof HTMLInputElement && target.name === 'id' && target.closest('[data-rows]')) {
    const all = /** @type {HTMLInputElement[]} */ (rows().map(box).filter(Boolean));
    if (event.shiftKey && lastTick && all.includes(lastTick)) {
      const [from, to] = [all.indexOf(lastTick), all.indexOf(target)].sort((a, b) => a - b);
      for (const one of all.slice(from, to + 1)) one.checked = target.checked;
    }
    lastTick = target;
    drawBulk();
  }
  // One open piece of the bar at a time.
  for (const one of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll('details.pop[open]'))) if (!one.contains(target)) one.open = false;
});
document.addEventListener('keydown', (event) => {
  const open = /** @type {HTMLDetailsElement | null} */ (document.querySelector('details.pop[open]'));
  if (event.key === 'Escape' && open) {
    open.open = false;
    open.querySelector('summary')?.focus();
  }
});

document.addEventListener('change', async (event) => {
  const target = /** @type {HTMLSelectElement} */ (event.target);
  if (target.matches('[data-field]')) {
    const form = /** @type {HTMLElement} */ (target.closest('form'));
    const place = form.querySelector('[data-condition]');
    if (!place) return;
    if (!target.value) { place.replaceChildren(); return; }
    try {
      place.replaceChildren(element(await fragment((form.dataset.conditions || '/objects/' + form.dataset.kind + '/condition') + '?field=' + encodeURIComponent(target.value))));
      drawValue(form);
    } catch (error) { complain(error); }
  } else if (target.matches('[data-operator]')) drawValue(/** @type {HTMLElement} */ (target.closest('form')));
});

// What objects of a kind are called, while one types the name of one.
let naming = 0;
document.addEventListener('input', (event) => {
  const target = /** @type {HTMLInputElement} */ (event.target);
  if (!target.matches('[data-names]')) return;
  clearTimeout(naming);
  naming = window.setTimeout(async () => {
    try {
      const names = JSON.parse(await fragment('/objects/' + target.dataset.names + '/names?q=' + encodeURIComponent(target.value)));
      target.list?.replaceChildren(...names.map((one) => Object.assign(document.createElement('option'), { value: one })));
    } catch (error) { complain(error); }
  }, 150);
});

/** Show the value's field that the operator takes. */
function drawValue(form) {
  const operator = form.querySelector('[data-operator]')?.value || '';
  const takes = ['empty', 'not_empty'].includes(operator) ? 'none' : ['within_last', 'older_than', 'within_next'].includes(operator) ? 'length' : 'day';
  for (const one of form.querySelectorAll('[data-value]')) one.hidden = one.dataset.value ? one.dataset.value !== takes : takes === 'none';
}

// A card whose form was touched is not drawn again under the hands of its writer.
let dirty = Boolean(document.documentElement.dataset.kept);
card?.addEventListener('input', (event) => { if (!/** @type {HTMLElement} */ (event.target).closest('[data-quick], [role="combobox"]')) dirty = true; });
onItems((items) => {
  for (const one of items) {
    if (one.k === 'resync' && (list || (card && !dirty))) refresh();
    if (one.k !== 'object') continue;
    if (list && (list.dataset.also || list.dataset.objects || '').split(' ').includes(one.kind)) refresh();
    if (card && card.dataset.object === one.kind && card.dataset.id === one.id) {
      if (!dirty) reread();
      else toast(_('Somebody changed this card meanwhile. Look at it, then save again.'));
    }
  }
});

/** Draw a card again, but never over what its reader types. */
let reading = 0;
function reread() {
  clearTimeout(reading);
  reading = window.setTimeout(async () => {
    try {
      const fresh = new DOMParser().parseFromString(await fragment(location.pathname), 'text/html').querySelector('[data-object]');
      if (dirty || !fresh || !card || document.querySelector('dialog[open]')) return;
      if (document.activeElement?.closest('[data-quick]')) {
        // Who types a task keeps his line; the form below it must know its new version.
        const [old, now] = [card.querySelector('.card-form'), fresh.querySelector('.card-form')];
        if (old && now) old.replaceWith(now);
        return;
      }
      if (card.contains(document.activeElement)) return;
      const open = [...card.querySelectorAll('details')].map((one) => one.open);
      card.innerHTML = fresh.innerHTML;
      [...card.querySelectorAll('details')].forEach((one, n) => { if (open[n]) one.open = true; });
    } catch { /* the next change, or the reader himself, reads it */ }
  }, 400);
}

/** Say who is like the one that is being typed, before a second card is made. */
let asking = 0;
document.addEventListener('input', (event) => {
  const form = /** @type {HTMLFormElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[data-like]'));
  const place = form?.querySelector('[data-alike]');
  if (!form || !place) return;
  clearTimeout(asking);
  asking = window.setTimeout(async () => {
    const typed = new URLSearchParams({ kind: form.dataset.like || '' });
    for (const name of ['name', 'phone', 'email', 'inn']) {
      const field = /** @type {HTMLInputElement | null} */ (form.querySelector('[name="' + name + '"]'));
      if (field?.value) typed.set(name, field.value);
    }
    try { place.innerHTML = await fragment('/duplicates/like?' + typed); } catch { /* it only warns */ }
  }, 350);
});

document.addEventListener('hub:refresh', refresh);
if (list) startList();
startParts();
if (list?.hasAttribute('data-beside')) await import('hub/beside');
document.documentElement.dataset.ready = 'objects';
