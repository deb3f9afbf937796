// @ts-check
// Modal sheets: one line of text, a list to choose from, a table to read.
import { _ } from 'hub/i18n';
import { icon } from 'hub/api';

/** Open a modal sheet; gives its dialog, head and body. */
export function openSheet(title, className = '') {
  const dialog = document.createElement('dialog');
  dialog.className = ('sheet ' + className).trim();
  dialog.setAttribute('aria-label', title);
  const head = document.createElement('header');
  const words = document.createElement('h2');
  words.textContent = title;
  words.className = 'grow';
  const close = document.createElement('button');
  close.className = 'btn quiet icon-only';
  close.type = 'button';
  close.append(icon('x'));
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
export function ask(title, value = '', help = '', options = []) {
  return new Promise((resolve) => {
    const sheet = openSheet(title, 'narrow');
    const form = document.createElement('form');
    const input = document.createElement('input');
    input.className = 'input';
    input.value = value;
    input.setAttribute('aria-label', title);
    if (options.length) {
      const list = document.createElement('datalist');
      list.id = 'ask-options';
      list.append(...options.map((one) => { const item = document.createElement('option'); item.value = one; return item; }));
      input.setAttribute('list', list.id);
      form.append(list);
    }
    const line = document.createElement('p');
    line.className = 'muted small';
    line.textContent = help;
    const button = document.createElement('button');
    button.className = 'btn primary';
    button.textContent = _('OK');
    form.append(input, line, button);
    let given = null;
    form.addEventListener('submit', (event) => { event.preventDefault(); given = input.value.trim(); sheet.dialog.close(); resolve(given); });
    sheet.dialog.addEventListener('close', () => resolve(given));
    sheet.body.append(form);
    input.focus();
    input.select();
  });
}

/** Let somebody search and choose one of what `find(text)` gives; null when it was given up. */
export function choose(title, placeholder, find) {
  return new Promise((resolve) => {
    const sheet = openSheet(title, 'palette');
    sheet.head.remove();
    const input = document.createElement('input');
    input.setAttribute('aria-label', title);
    input.setAttribute('role', 'combobox');
    input.setAttribute('aria-expanded', 'true');
    input.setAttribute('aria-controls', 'choices');
    input.placeholder = placeholder;
    input.autocomplete = 'off';
    const list = document.createElement('ul');
    list.id = 'choices';
    list.setAttribute('role', 'listbox');
    list.setAttribute('aria-label', _('Results'));
    sheet.body.append(input, list);
    let chosen = 0;
    let found = [];
    let given = null;
    let asked = 0;
    // Enter was pressed before anything was found: the first that comes is meant.
    let hasty = false;
    // What was chosen is told at once: the next key is for what it leads to.
    const pick = (n) => { given = found[n] || null; sheet.dialog.close(); resolve(given); };
    const draw = () => {
      list.replaceChildren(...found.map((one, n) => {
        const item = document.createElement('li');
        item.setAttribute('role', 'option');
        item.id = 'choice-' + n;
        item.setAttribute('aria-selected', String(n === chosen));
        if (one.icon) item.append(icon(one.icon));
        const words = document.createElement('span');
        words.className = 'grow';
        words.textContent = one.label;
        item.append(words);
        if (one.group) { const group = document.createElement('span'); group.className = 'muted small'; group.textContent = one.group; item.append(group); }
        if (one.combo) { const kbd = document.createElement('kbd'); kbd.textContent = one.combo; item.append(kbd); }
        item.addEventListener('click', () => pick(n));
        return item;
      }));
      if (!found.length) {
        const none = document.createElement('li');
        none.className = 'muted';
        none.textContent = _('Nothing found');
        list.append(none);
      }
      input.setAttribute('aria-activedescendant', found.length ? 'choice-' + chosen : '');
      list.children[chosen]?.scrollIntoView({ block: 'nearest' });
    };
    const search = () => {
      const mine = ++asked;
      find(input.value.trim(), (list_) => { if (mine === asked) { found = list_; if (hasty && found.length) { pick(0); return; } chosen = Math.min(chosen, Math.max(0, found.length - 1)); draw(); } });
    };
    input.addEventListener('input', () => { chosen = 0; found = []; hasty = false; search(); });
    input.addEventListener('keydown', (event) => {
      if (event.code === 'ArrowDown' || event.code === 'ArrowUp') {
        event.preventDefault();
        chosen = (chosen + (event.code === 'ArrowDown' ? 1 : -1) + found.length) % Math.max(1, found.length);
        draw();
      } else if (event.code === 'Enter' || event.code === 'NumpadEnter') { event.preventDefault(); if (found.length) pick(chosen); else hasty = true; }
    });
    sheet.dialog.addEventListener('close', () => resolve(given));
    search();
    input.focus();
  });
}
