// @ts-check
// Boards: the cursor goes by arrows, Space lifts and drops; dragging by mouse and touch is an extra.
import { loadTexts, _ } from 'hub/i18n';
import { complain, fragment, icon, post, Refused, toast } from 'hub/api';
import { openSheet } from 'hub/sheet';

await loadTexts();
await import('hub/objects');
const { bind } = await import('hub/keys');

const GROUP = _('Board');
/** @type {{card: HTMLElement, from: HTMLElement, next: Element | null, focus: string} | null} */
let lifted = null;
/** Under which name a step that a form takes outlives its page. */
const MADE = 'hub-board-step';

const board = () => /** @type {HTMLElement | null} */ (document.querySelector('[data-board]'));
const columns = () => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-board] [data-key]'))];
const cardsOf = (column) => [.../** @type {NodeListOf<HTMLElement>} */ (column.querySelectorAll('[data-card]'))];
const columnOf = (card) => /** @type {HTMLElement} */ (card.closest('[data-key]'));
const listOf = (column) => /** @type {HTMLElement} */ (column.querySelector('ul'));
const nameOf = (card) => card.querySelector('[data-focus]')?.textContent?.trim() || '';
const mayEdit = () => board()?.hasAttribute('data-edit');

function say(text) { const box = document.getElementById('spoken'); if (box) box.textContent = text; }
function current() {
  const active = document.activeElement;
  return /** @type {HTMLElement | null} */ (active instanceof HTMLElement ? active.closest('[data-card]') : null);
}
function focus(card) {
  for (const one of document.querySelectorAll('[data-board] [data-focus]')) one.setAttribute('tabindex', '-1');
  const link = /** @type {HTMLElement | null} */ (card?.querySelector('[data-focus]'));
  if (!link) return;
  link.setAttribute('tabindex', '0');
  link.focus();
  card.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
function firstStop() {
  if (document.querySelector('[data-board] [data-focus][tabindex="0"]')) return;
  document.querySelector('[data-board] [data-focus]')?.setAttribute('tabindex', '0');
}

/** Whether a card may go from one column to another, as far as the board knows. */
function allowed(card, from, to) {
  if (to === from) return true;
  if (to.hasAttribute('data-closed')) return false;
  if (to.hasAttribute('data-zone')) return !String(card.dataset.card).startsWith('d');
  const known = (from.dataset.allowed || '').split(' ').filter(Boolean);
  return !known.length || known.includes(to.dataset.key || '');
}

function markColumns(card, from) {
  for (const one of columns()) {
    const ok = !card || allowed(card, from, one);
    one.classList.toggle('forbidden', !ok);
    const why = /** @type {HTMLElement | null} */ (one.querySelector('[data-why]'));
    if (why) { why.hidden = ok; why.textContent = ok ? '' : one.hasAttribute('data-closed') ? _('Nothing is put here') : _('This stage does not lead here'); }
  }
}

function step(down, sideways) {
  if (lifted) { if (sideways) carry(sideways); return; }
  const now = current();
  const all = columns().filter((one) => cardsOf(one).length);
  if (!now || !all.length) { focus(all.flatMap(cardsOf)[0]); return; }
  const column = columnOf(now);
  const cards = cardsOf(column);
  const at = cards.indexOf(now);
  if (down) { focus(cards[Math.max(0, Math.min(cards.length - 1, at + down))]); return; }
  const next = all[all.indexOf(column) + sideways];
  if (next) focus(cardsOf(next)[Math.min(at, cardsOf(next).length - 1)]);
}

function lift() {
  const card = current();
  if (!card || !mayEdit()) return;
  const from = columnOf(card);
  lifted = { card, from, next: card.nextElementSibling, focus: card.dataset.card || '' };
  document.documentElement.dataset.busy = 'lifted';
  card.classList.add('lifted');
  markColumns(card, from);
  say(_('Lifted') + ': ' + nameOf(card) + '. ' + _('Arrows move it, Space drops it, Esc puts it back.'));
}

function carry(sideways) {
  if (!lifted) return;
  const all = columns().filter((one) => lifted && allowed(lifted.card, lifted.from, one));
  const next = all[all.indexOf(columnOf(lifted.card)) + sideways];
  if (!next) return;
  const list = listOf(next);
  list.hidden = false;
  list.prepend(lifted.card);
  focus(lifted.card);
  say(next.dataset.name || '');
}

function putBack() {
  if (!lifted) return;
  const { card, from, next } = lifted;
  listOf(from).insertBefore(card, next && next.parentElement === listOf(from) ? next : null);
  settle();
  focus(card);
}

function settle() {
  lifted?.card.classList.remove('lifted');
  lifted = null;
  delete document.documentElement.dataset.busy;
  markColumns(null, null);
  for (const one of document.querySelectorAll('[data-zone] ul')) /** @type {HTMLElement} */ (one).hidden = true;
}

async function drop() {
  if (!lifted) return;
  const { card, from } = lifted;
  const to = columnOf(card);
  if (to === from) { putBack(); say(_('Put back')); return; }
  await send(card, from, to);
}

/** Send a move; what is refused slides to its true column, and the reason is told. */
async function send(card, from, to) {
  /** @type {any} */
  const body = { card: card.dataset.card, to: to.dataset.key, seen: from.dataset.key };
  if (to.dataset.asks === 'open') { location.href = String(card.querySelector('[data-focus]')?.getAttribute('href')) + '#convert'; return; }
  if (to.dataset.asks) {
    const answer = await askWhy(to);
    if (!answer) { if (lifted) putBack(); return; }
    Object.assign(body, answer);
  }
  const before = lifted;
  const name = nameOf(card);
  listOf(to).prepend(card);
  settle();
  try {
    const made = await post(String(board()?.dataset.move), body);
    say(name + ': ' + (to.dataset.name || ''));
    // An enquiry has become an interest: that is undone on its card.
    told({ card: body.card, from: from.dataset.key, to: to.dataset.key, text: name + ' → ' + (to.dataset.name || ''), keep: 'closed' in from.dataset });
    document.dispatchEvent(new CustomEvent('hub:refresh'));
    if (to.hasAttribute('data-zone')) {
      card.remove();
      focus(before?.next?.closest('[data-card]') || cardsOf(from)[0] || columns().flatMap(cardsOf)[0]);
    } else {
      // A dialog became an interest: the card goes on under that number, and so does the cursor.
      card.dataset.card = made?.id || card.dataset.card;
      card.dataset.column = to.dataset.key || '';
      focus(card);
    }
  } catch (error) {
    listOf(from).insertBefore(card, before?.next && before.next.parentElement === listOf(from) ? before.next : listOf(from).firstElementChild);
    focus(card);
    if (error instanceof Refused) {
      const why = error.details || {};
      const text = error.what === 'moved' && why.who ? _('{who} moved it to {where}').replace('{who}', why.who).replace('{where}', why.where)
        : why.missing?.length ? _('Still needed') + ': ' + why.missing.join(', ') : error.message;
      if (why.form) { await askLacking(text, why.form, { card: body.card, from: body.seen, to: body.to, text: name + ' → ' + (to.dataset.name || '') }); return; }
      toast(text);
      say(text);
    } else complain(error);
    document.dispatchEvent(new CustomEvent('hub:refresh'));
  }
}

/** Ask for what a step still needs; the form takes the step itself and comes back to the board. */
async function askLacking(text, address, made) {
  try {
    const html = await fragment(address);
    await import('hub/pick');
    const sheet = openSheet(_('Still needed'), 'narrow');
    sheet.body.innerHTML = html;
    // The board's own form for a new card has fields of the same names.
    for (const mark of ['id', 'for', 'aria-controls', 'aria-describedby']) {
      for (const one of sheet.body.querySelectorAll('[' + mark + ']')) one.setAttribute(mark, 'lacks-' + one.getAttribute(mark));
    }
    // The page is another one when the step is taken: it says so, and offers the way back.
    sheet.body.addEventListener('submit', () => sessionStorage.setItem(MADE, JSON.stringify(made)));
    const back = /** @type {HTMLInputElement} */ (sheet.body.querySelector('[name="back"]'));
    back.value = location.pathname + location.search;
    /** @type {HTMLElement | null} */ (sheet.body.querySelector('form :is(input:not([type="hidden"]), select, textarea)'))?.focus();
    say(text);
  } catch (error) { complain(error); }
}

/** Say what was moved, and offer to put it back where that is done here. */
function told(made) { toast(made.text, made.keep ? null : () => takeBack(made)); }

/** Say what the sheet of the page before has moved, if it has. */
function tellMade() {
  const made = JSON.parse(sessionStorage.getItem(MADE) || 'null');
  sessionStorage.removeItem(MADE);
  const card = made && document.querySelector('[data-card="' + CSS.escape(made.card) + '"]');
  if (!made || (card && columnOf(card).dataset.key !== made.to)) return;
  told(made);
  if (card) focus(card);
}

/** Put a card back to where it was before its last move. */
async function takeBack({ card, from, to }) {
  try {
    await post(String(board()?.dataset.move), { card, to: from, seen: to });
    say(_('Put back'));
  } catch (error) { complain(error); }
  document.dispatchEvent(new CustomEvent('hub:refresh'));
}

/** Ask for the reason; gives null when it was given up. */
function askWhy(zone) {
  return new Promise((resolve) => {
    const sheet = openSheet(zone.dataset.name || '', 'narrow');
    const form = document.createElement('form');
    /** @type {any} */
    let given = null;
    const options = JSON.parse(zone.dataset.options || '[]');
    const comment = document.createElement('input');
    comment.className = 'input';
    comment.maxLength = 400;
    comment.setAttribute('aria-label', options.length ? _('Comment') : _('Why'));
    comment.placeholder = options.length ? _('Comment') : _('Why');
    const select = document.createElement('select');
    select.className = 'select';
    select.setAttribute('aria-label', _('Why'));
    for (const [id, name] of options) {
      const one = document.createElement('option');
      one.value = id;
      one.textContent = name;
      select.append(one);
    }
    const check = () => { comment.required = options.length ? !!options.find(([id]) => id === select.value)?.[2] : true; };
    select.addEventListener('change', check);
    check();
    const button = document.createElement('button');
    button.className = 'btn primary';
    button.textContent = _('OK');
    form.append(...(options.length ? [select] : []), comment, button);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      given = options.length ? { reason: select.value, comment: comment.value } : { comment: comment.value };
      sheet.dialog.close();
    });
    sheet.dialog.addEventListener('close', () => resolve(given));
    sheet.body.append(form);
    (options.length ? select : comment).focus();
  });
}

function toZone(key) {
  const card = current();
  const zone = columns().find((one) => one.dataset.key === key);
  if (!card || !zone || lifted || !allowed(card, columnOf(card), zone)) return;
  send(card, columnOf(card), zone);
}

/** The card's menu: the same moves by pointer alone. */
function openMenu(button) {
  document.getElementById('card-menu')?.remove();
  const card = /** @type {HTMLElement} */ (button.closest('[data-card]'));
  const from = columnOf(card);
  const menu = document.createElement('div');
  menu.className = 'menu';
  menu.id = 'card-menu';
  menu.setAttribute('popover', '');
  menu.setAttribute('role', 'menu');
  for (const one of columns()) {
    if (one === from || !allowed(card, from, one)) continue;
    const item = document.createElement('button');
    item.type = 'button';
    item.setAttribute('role', 'menuitem');
    item.append(icon(one.hasAttribute('data-zone') ? 'check' : 'chevron-right'), one.dataset.name || '');
    item.addEventListener('click', () => { /** @type {any} */ (menu).hidePopover(); send(card, from, one); });
    menu.append(item);
  }
  document.body.append(menu);
  /** @type {any} */ (menu).showPopover();
  const at = button.getBoundingClientRect();
  menu.style.left = Math.max(8, Math.min(at.left, innerWidth - menu.offsetWidth - 8)) + 'px';
  menu.style.top = Math.max(8, Math.min(at.bottom + 4, innerHeight - menu.offsetHeight - 8)) + 'px';
  menu.querySelector('button')?.focus();
}

const has = () => !!current();
bind('Right', _('Card in the next column'), GROUP, () => step(0, 1), { when: () => !!board() });
bind('Left', _('Card in the column before'), GROUP, () => step(0, -1), { when: () => !!board() });
bind('Down', _('Next card'), GROUP, () => step(1, 0));
bind('Up', _('Card before'), GROUP, () => step(-1, 0));
bind('J', _('Next card'), GROUP, () => step(1, 0));
bind('K', _('Card before'), GROUP, () => step(-1, 0));
bind('Space', _('Lift the card, drop the card'), GROUP, () => { if (lifted) drop(); else lift(); }, { when: () => has() && document.activeElement?.tagName !== 'BUTTON' });
bind('Esc', _('Put the card back'), GROUP, () => { putBack(); say(_('Put back')); }, { when: () => !!lifted });
bind('Enter', _('Open the card'), GROUP, () => /** @type {HTMLElement | null} */ (current()?.querySelector('[data-focus]'))?.click(), { when: () => has() && !lifted && document.activeElement?.tagName === 'A' });
for (const one of columns()) {
  const { combo, key, name } = one.dataset;
  if (combo) bind(combo, name || '', GROUP, () => toZone(key), { when: has });
}

document.addEventListener('click', async (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (target.closest('[data-menu]'));
  if (button) { openMenu(button); return; }
  const more = /** @type {HTMLElement | null} */ (target.closest('[data-next]'));
  if (!more) return;
  const column = columnOf(more);
  const query = new URLSearchParams(location.search);
  query.set('stage', column.dataset.key || '');
  query.set('before', more.dataset.next || '');
  try {
    const html = await fragment(board()?.dataset.more + '?' + query);
    more.closest('li')?.remove();
    listOf(column).insertAdjacentHTML('beforeend', html);
  } catch (error) { complain(error); }
});

// Dragging: at once by mouse, after a moment of rest by touch, so that the page can be scrolled.
/** @type {{card: HTMLElement, from: HTMLElement, next: Element | null, x: number, y: number, on: boolean, timer: number} | null} */
let drag = null;
/** What scrolls the board under a card that is held at its edge. @type {typeof import('hub/edges') | null} */
let edges = null;
function begin() {
  if (!drag) return;
  drag.on = true;
  import('hub/edges').then((found) => { edges = found; }, () => {});
  document.documentElement.dataset.busy = 'drag';
  drag.card.classList.add('lifted');
  markColumns(drag.card, drag.from);
}
function over(x, y) {
  const seen = /** @type {HTMLElement} */ (board()).getBoundingClientRect();
  // A hand that scrolls the board is at its edge, or a little past it: it means the column there.
  const inside = Math.max(seen.left + 20, Math.min(seen.right - 20, x));
  const found = document.elementFromPoint(Math.abs(inside - x) < 60 ? inside : x, y);
  return /** @type {HTMLElement | null} */ (found?.closest('[data-board] [data-key]') || null);
}
document.addEventListener('pointerdown', (event) => {
  const card = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[data-card]'));
  if (!card || event.button || !mayEdit() || lifted || /** @type {HTMLElement} */ (event.target).closest('button')) return;
  drag = { card, from: columnOf(card), next: card.nextElementSibling, x: event.clientX, y: event.clientY, on: false, timer: 0 };
  if (event.pointerType !== 'mouse') drag.timer = window.setTimeout(begin, 350);
});
document.addEventListener('pointermove', (event) => {
  if (!drag) return;
  const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 6;
  if (!drag.on && event.pointerType === 'mouse' && far) begin();
  else if (!drag.on && far) { clearTimeout(drag.timer); drag = null; return; }
  if (!drag.on) return;
  const aim = () => {
    const to = over(event.clientX, event.clientY);
    for (const one of columns()) one.classList.toggle('target', !!drag && one === to && allowed(drag.card, drag.from, one));
  };
  aim();
  edges?.pull(board(), event.clientX, aim);
});
document.addEventListener('touchmove', (event) => { if (drag?.on) event.preventDefault(); }, { passive: false });
async function letGo(event) {
  if (!drag) return;
  clearTimeout(drag.timer);
  edges?.rest();
  const { card, from, on } = drag;
  drag = null;
  for (const one of columns()) one.classList.remove('target');
  if (!on) return;
  card.classList.remove('lifted');
  const to = event.type === 'pointerup' ? over(event.clientX, event.clientY) : null;
  const ok = to && to !== from && allowed(card, from, to);
  const reason = to && to !== from && !ok ? to.querySelector('[data-why]')?.textContent : '';
  settle();
  // The click that ends a drag is no wish to open the card.
  const swallow = (click) => { click.preventDefault(); click.stopPropagation(); };
  document.addEventListener('click', swallow, { capture: true, once: true });
  setTimeout(() => document.removeEventListener('click', swallow, { capture: true }), 50);
  if (ok && to) await send(card, from, to);
  else if (reason) toast(reason);
}
document.addEventListener('pointerup', letGo);
document.addEventListener('pointercancel', letGo);
document.addEventListener('dragstart', (event) => { if (/** @type {HTMLElement} */ (event.target).closest?.('[data-card]')) event.preventDefault(); });

document.addEventListener('change', (event) => {
  const form = /** @type {HTMLElement} */ (event.target).closest('[data-switch]');
  if (form) /** @type {HTMLFormElement} */ (form).requestSubmit();
});
let kept = '';
document.addEventListener('hub:refreshing', () => { kept = current()?.dataset.card || ''; });
document.addEventListener('hub:refreshed', () => {
  firstStop();
  const card = kept && /** @type {HTMLElement | null} */ (document.querySelector('[data-card="' + CSS.escape(kept) + '"]'));
  if (card && !current()) focus(card);
});
firstStop();
tellMade();
document.documentElement.dataset.ready = 'board';
