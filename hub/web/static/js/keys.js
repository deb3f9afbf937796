// @ts-check
// The one key map. Keys are physical (event.code), so they work under every keyboard layout;
// the help sheet, the palette and the hints are drawn out of this map.
import { _ } from 'hub/i18n';
import { undoLast } from 'hub/api';

/** @typedef {{combo: string, label: string, group: string, run: () => void, when?: () => boolean, typing?: boolean}} Key */
/** @type {Key[]} */
const keys = [];
let prefix = '';
let prefixTimer = 0;

/** Add a key: `J`, `Shift+R`, `Ctrl+KeyK`, `G I` (two presses), `Alt+J` (also while typing). */
export function bind(combo, label, group, run, options = {}) {
  keys.push({ combo, label, group, run, ...options });
}

/** Every key, for the help sheet and the palette. */
export function allKeys() {
  return keys.filter((one) => !one.when || one.when());
}

function nameOf(event) {
  const code = event.code;
  if (code.startsWith('Key')) return code.slice(3);
  if (code.startsWith('Digit')) return code.slice(5);
  const names = { BracketLeft: '[', BracketRight: ']', Slash: '/', Escape: 'Esc', ArrowDown: 'Down', ArrowUp: 'Up', Enter: 'Enter', NumpadEnter: 'Enter', Space: 'Space', Period: '.' };
  return names[code] || code;
}

function comboOf(event) {
  let name = nameOf(event);
  if (name === '/' && event.shiftKey) return '?';
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
    const typing = isTyping(event.target);
    const plain = !combo.startsWith('Ctrl') && !combo.startsWith('Alt');
    if (plain && combo !== 'Esc' && (typing || singleOff)) return;
    if (document.querySelector('dialog[open]') && combo !== 'Esc' && !combo.startsWith('Ctrl')) return;
    const wanted = prefix ? prefix + ' ' + combo : combo;
    clearTimeout(prefixTimer);
    const found = keys.find((one) => one.combo === wanted && (!typing || one.typing || !plain || combo === 'Esc') && (!one.when || one.when()));
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

/** Draw the help sheet. */
export function showHelp() {
  const sheet = openSheet(_('Keys'));
  const groups = new Map();
  for (const one of allKeys()) {
    if (!groups.has(one.group)) groups.set(one.group, []);
    groups.get(one.group).push(one);
  }
  for (const [name, list] of groups) {
    const title = document.createElement('h3');
    title.textContent = name;
    title.style.margin = '12px 0 4px';
    const grid = document.createElement('div');
    grid.className = 'help-grid';
    for (const one of list) {
      const line = document.createElement('div');
      const words = document.createElement('span');
      words.textContent = one.label;
      const hint = document.createElement('span');
      for (const part of one.combo.split(' ')) {
        const kbd = document.createElement('kbd');
        kbd.textContent = part;
        hint.append(kbd, ' ');
      }
      line.append(words, hint);
      grid.append(line);
    }
    sheet.body.append(title, grid);
  }
}

/** Open a modal sheet; gives its dialog and body. */
export function openSheet(title, className = '') {
  const dialog = document.createElement('dialog');
  dialog.className = 'sheet ' + className;
  dialog.setAttribute('aria-label', title);
  const head = document.createElement('header');
  const words = document.createElement('h2');
  words.textContent = title;
  words.className = 'grow';
  const close = document.createElement('button');
  close.className = 'btn quiet icon-only';
  close.type = 'button';
  close.textContent = '×';
  close.setAttribute('aria-label', _('Close'));
  close.addEventListener('click', () => dialog.close());
  head.append(words, close);
  const body = document.createElement('div');
  body.className = 'body';
  dialog.append(head, body);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, body, head };
}

/** Ask for one line of text; gives null when it was given up. */
export function ask(title, value = '', help = '') {
  return new Promise((resolve) => {
    const sheet = openSheet(title);
    const form = document.createElement('form');
    const input = document.createElement('input');
    input.className = 'input';
    input.value = value;
    input.setAttribute('aria-label', title);
    const line = document.createElement('p');
    line.className = 'muted small';
    line.textContent = help;
    const button = document.createElement('button');
    button.className = 'btn primary';
    button.textContent = _('OK');
    button.style.marginTop = '12px';
    form.append(input, line, button);
    let given = null;
    form.addEventListener('submit', (event) => { event.preventDefault(); given = input.value.trim(); sheet.dialog.close(); });
    sheet.dialog.addEventListener('close', () => resolve(given));
    sheet.body.append(form);
    input.focus();
    input.select();
  });
}

/** The palette: every act by its name, and what the server finds. */
export function showPalette() {
  const sheet = openSheet(_('What to do?'), 'palette');
  sheet.head.remove();
  sheet.body.style.padding = '0';
  const input = document.createElement('input');
  input.setAttribute('aria-label', _('What to do?'));
  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-expanded', 'true');
  input.setAttribute('aria-controls', 'palette-list');
  input.placeholder = _('Type an action or a name');
  const list = document.createElement('ul');
  list.id = 'palette-list';
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', _('Results'));
  sheet.body.append(input, list);
  let chosen = 0;
  let found = [];
  let timer = 0;
  const draw = () => {
    list.replaceChildren(...found.map((one, n) => {
      const item = document.createElement('li');
      item.setAttribute('role', 'option');
      item.id = 'palette-' + n;
      item.setAttribute('aria-selected', String(n === chosen));
      const words = document.createElement('span');
      words.className = 'grow';
      words.textContent = one.label;
      item.append(words);
      if (one.combo) { const kbd = document.createElement('kbd'); kbd.textContent = one.combo; item.append(kbd); }
      item.addEventListener('click', () => pick(n));
      return item;
    }));
    input.setAttribute('aria-activedescendant', found.length ? 'palette-' + chosen : '');
    list.children[chosen]?.scrollIntoView({ block: 'nearest' });
  };
  const pick = (n) => { const one = found[n]; sheet.dialog.close(); if (one) one.run(); };
  const search = () => {
    const text = input.value.trim().toLowerCase();
    const acts = allKeys().filter((one) => one.label.toLowerCase().includes(text)).slice(0, text ? 8 : 14);
    found = acts;
    chosen = 0;
    draw();
    clearTimeout(timer);
    if (text.length > 1) timer = window.setTimeout(async () => {
      const answer = await fetch('/search/quick?q=' + encodeURIComponent(input.value.trim()), { headers: { Accept: 'application/json' } });
      if (!answer.ok) return;
      const data = await answer.json();
      found = [...acts, ...data.map((one) => ({ label: one.label, run: () => { location.href = one.href; } }))];
      draw();
    }, 150);
  };
  input.addEventListener('input', search);
  input.addEventListener('keydown', (event) => {
    if (event.code === 'ArrowDown' || event.code === 'ArrowUp') {
      event.preventDefault();
      chosen = (chosen + (event.code === 'ArrowDown' ? 1 : -1) + found.length) % Math.max(1, found.length);
      draw();
    } else if (event.code === 'Enter') { event.preventDefault(); pick(chosen); }
  });
  search();
  input.focus();
}

bind('Ctrl+K', _('Command palette'), _('Everywhere'), showPalette, { typing: true });
bind('?', _('Show the keys'), _('Everywhere'), showHelp);
bind('/', _('Search'), _('Everywhere'), () => {
  const box = /** @type {HTMLInputElement | null} */ (document.querySelector('[data-search]'));
  if (box) box.focus(); else location.href = '/search';
});
bind('G I', _('Go to the inbox'), _('Everywhere'), () => { location.href = '/inbox'; });
bind('G C', _('Go to people'), _('Everywhere'), () => { location.href = '/contacts'; });
bind('G S', _('Go to settings'), _('Everywhere'), () => { location.href = '/settings'; });
bind('Ctrl+Z', _('Undo the last action'), _('Everywhere'), undoLast);
