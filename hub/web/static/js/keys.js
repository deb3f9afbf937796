// @ts-check
// The one key map. Keys are physical (event.code), so they work under every keyboard layout;
// the help sheet and the palette are drawn out of this map.
import { _ } from 'hub/i18n';
import { undos } from 'hub/api';

/** @typedef {{combo: string, label: string, group: string, run: () => void, when?: () => boolean, typing?: boolean, waits?: boolean}} Key */
/** @type {Key[]} */
const keys = [];
let prefix = '';
let prefixTimer = 0;
/** What is on its way, and what was pressed for it. @type {Promise<unknown> | null} */
let coming = null;
let eager = false;
/** @type {KeyboardEvent[]} */
let late = [];

/** Keys that wait, and whatever is typed after one (with `every` whatever is typed), are for what is on its way; it tells whether it came. */
export async function keysWait(work, every = false) {
  coming = work;
  eager = every;
  late = [];
  const came = await work;
  const again = await (late.length && import('hub/late'));
  if (coming !== work) return;
  const pressed = late;
  coming = null;
  eager = false;
  late = [];
  if (came && again) again.replay(pressed);
}

/** Add a key: `J`, `Shift+R`, `Ctrl+KeyK`, `G I` (two presses), `Alt+J` (also while typing). */
export function bind(combo, label, group, run, options = {}) {
  // A screen may give a key of every page a meaning of its own.
  const same = keys.findIndex((one) => one.combo === combo && !one.when && !(/** @type {any} */ (options).when));
  if (same >= 0) keys.splice(same, 1);
  keys.push({ combo, label, group, run, ...options });
}

/** Every key, for the help sheet (also those that need a dialog to be open) and the palette. */
export function allKeys(all = false) {
  return keys.filter((one) => all || !one.when || one.when());
}

function nameOf(event) {
  const code = event.code;
  if (code.startsWith('Key')) return code.slice(3);
  if (code.startsWith('Digit')) return code.slice(5);
  const names = { BracketLeft: '[', BracketRight: ']', Slash: '/', Escape: 'Esc', ArrowDown: 'Down', ArrowUp: 'Up', ArrowLeft: 'Left', ArrowRight: 'Right', Enter: 'Enter', NumpadEnter: 'Enter', Space: 'Space', Period: '.' };
  return names[code] || code;
}

function comboOf(event) {
  let name = nameOf(event);
  // The question mark stands on another key in some layouts: both ways are right.
  if ((name === '/' && event.shiftKey) || event.key === '?') return '?';
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push('Ctrl');
  if (event.altKey) parts.push('Alt');
  if (event.shiftKey) parts.push('Shift');
  return [...parts, name].join('+');
}

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)) && target.getAttribute('type') !== 'checkbox';
}

const singleOff = document.querySelector('meta[name="me"]')?.getAttribute('data-keys') === 'off';

/** Start to listen. */
export function startKeys() {
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    const combo = comboOf(event);
    const wanted = prefix ? prefix + ' ' + combo : combo;
    const typing = isTyping(event.target);
    const plain = !combo.startsWith('Ctrl') && !combo.startsWith('Alt');
    if (plain && combo !== 'Esc' && (typing || singleOff) && !late.length && !eager) return;
    // A sheet has its own keys, and Esc closes it by itself. So has a menu. What waits for a sheet comes first.
    if (!eager && document.querySelector('dialog[open]')) return;
    if (coming && (late.length || eager ? /^(.|Enter|Backspace)$/.test(event.key) : keys.some((one) => one.waits && one.combo === wanted))) {
      event.preventDefault();
      late.push(event);
      return;
    }
    if (plain && combo !== 'Esc' && document.querySelector('.menu:popover-open')) return;
    clearTimeout(prefixTimer);
    const known = keys.filter((one) => one.combo === wanted && (!typing || one.typing || !plain || combo === 'Esc') && (!one.when || one.when()));
    // What a key means in one state comes before what it means everywhere.
    const found = known.find((one) => one.when) || known[0];
    prefix = '';
    if (found) {
      event.preventDefault();
      found.run();
      return;
    }
    if (combo === 'G' && !typing) {
      prefix = 'G';
      prefixTimer = window.setTimeout(() => { prefix = ''; }, 1200);
    }
  });
}

/** How a combination is written on a key cap. */
export function showCombo(combo) {
  const caps = { Up: '↑', Down: '↓', Left: '←', Right: '→', Enter: '↵', Shift: '⇧' };
  return combo.split(/[ +]/).map((part) => caps[part] || part);
}

bind('/', _('Search'), _('Everywhere'), () => {
  const box = /** @type {HTMLInputElement | null} */ (document.querySelector('[data-search]'));
  if (box) box.focus(); else location.href = '/search';
});
bind('G I', _('Go to the inbox'), _('Everywhere'), () => { location.href = '/inbox'; });
bind('G L', _('Go to leads'), _('Everywhere'), () => { location.href = '/leads'; });
bind('G Y', _('Go to my day'), _('Everywhere'), () => { location.href = '/day'; });
bind('G Q', _('Go to requests'), _('Everywhere'), () => { location.href = '/requests'; });
bind('G D', _('Go to interests'), _('Everywhere'), () => { location.href = '/interests'; });
bind('G C', _('Go to people'), _('Everywhere'), () => { location.href = '/contacts'; });
bind('G A', _('Go to automation'), _('Everywhere'), () => { location.href = '/settings/rules'; });
bind('G S', _('Go to settings'), _('Everywhere'), () => { location.href = '/settings'; });
// Where something is being written it is the writing that is undone, as everywhere else.
bind('Ctrl+Z', _('Undo the last action'), _('Everywhere'), () => undos().pop()?.click(), { when: () => undos().length > 0 && !(isTyping(document.activeElement) && /** @type {any} */ (document.activeElement).value) });
