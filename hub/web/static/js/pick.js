// @ts-check
// A field that refers to an object: one types a part of its name and chooses. Arrows, Enter, Esc.
import { loadTexts, _ } from 'hub/i18n';

await loadTexts();
let waits = 0;
let asked = 0;

/** @param {HTMLElement} holder */
function parts(holder) {
  return {
    line: /** @type {HTMLInputElement} */ (holder.querySelector('[role="combobox"]')),
    kept: /** @type {HTMLInputElement} */ (holder.querySelector('input[type="hidden"]')),
    list: /** @type {HTMLElement} */ (holder.querySelector('[role="listbox"]')),
  };
}
function options(list) { return /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role="option"]')]); }

function close(holder) {
  const { line, list } = parts(holder);
  // An answer still on its way would open the list again, over what is pressed next.
  clearTimeout(waits);
  asked++;
  list.hidden = true;
  line.setAttribute('aria-expanded', 'false');
  line.removeAttribute('aria-activedescendant');
}

function choose(holder, option) {
  const { line, kept } = parts(holder);
  kept.value = option?.dataset.id || '';
  line.value = option?.dataset.name || '';
  line.dataset.chosen = line.value;
  close(holder);
  kept.dispatchEvent(new Event('input', { bubbles: true }));
}

function point(holder, step) {
  const { line, list } = parts(holder);
  const all = options(list);
  if (!all.length) return;
  const now = all.findIndex((one) => one.id === line.getAttribute('aria-activedescendant'));
  const next = all[(now + step + all.length) % all.length];
  for (const one of all) one.setAttribute('aria-selected', String(one === next));
  line.setAttribute('aria-activedescendant', next.id);
  next.scrollIntoView({ block: 'nearest' });
}

async function look(holder) {
  const { line, list } = parts(holder);
  const mine = ++asked;
  let found = [];
  try {
    const answer = await fetch('/objects/' + holder.dataset.pick + '/find?q=' + encodeURIComponent(line.value.trim()), { headers: { Accept: 'application/json' } });
    if (!answer.ok) return;
    found = await answer.json();
  } catch { return; }
  if (mine !== asked || document.activeElement !== line) return;
  line.removeAttribute('aria-activedescendant');
  list.replaceChildren(...found.map((one, n) => {
    const row = document.createElement('li');
    row.id = list.id + '-' + n;
    row.setAttribute('role', 'option');
    row.setAttribute('aria-selected', 'false');
    row.dataset.id = one.id;
    row.dataset.name = one.name;
    row.append(Object.assign(document.createElement('span'), { className: 'person', textContent: one.name }));
    if (one.hint) row.append(Object.assign(document.createElement('span'), { className: 'person muted', textContent: one.hint }));
    return row;
  }));
  if (!found.length) {
    const none = document.createElement('li');
    none.className = 'muted';
    none.textContent = _('Nothing matches');
    list.append(none);
  }
  list.hidden = false;
  line.setAttribute('aria-expanded', 'true');
}

document.addEventListener('input', (event) => {
  const line = /** @type {HTMLElement} */ (event.target);
  const holder = /** @type {HTMLElement | null} */ (line.closest('[data-pick]'));
  if (!holder || !line.matches('[role="combobox"]')) return;
  clearTimeout(waits);
  waits = window.setTimeout(() => look(holder), 200);
});
document.addEventListener('keydown', (event) => {
  const line = /** @type {HTMLInputElement} */ (event.target);
  const holder = /** @type {HTMLElement | null} */ (line.closest?.('[data-pick]'));
  if (!holder || !line.matches('[role="combobox"]')) return;
  const { list } = parts(holder);
  if (event.code === 'ArrowDown' || event.code === 'ArrowUp') {
    event.preventDefault();
    if (list.hidden) look(holder); else point(holder, event.code === 'ArrowDown' ? 1 : -1);
  } else if (event.code === 'Enter' && list.hidden) {
    // Words that nobody chose yet must not send the form without what they name.
    if (line.value.trim() === (line.dataset.chosen || '').trim()) return;
    event.preventDefault();
    clearTimeout(waits);
    look(holder);
  } else if (event.code === 'Enter') {
    event.preventDefault();
    const chosen = options(list).find((one) => one.id === line.getAttribute('aria-activedescendant')) || options(list)[0];
    if (chosen) choose(holder, chosen);
  } else if (event.code === 'Escape' && !list.hidden) {
    event.preventDefault();
    event.stopPropagation();
    close(holder);
  }
}, true);
document.addEventListener('mousedown', (event) => {
  const option = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[data-pick] [role="option"]'));
  if (!option) return;
  event.preventDefault();
  choose(/** @type {HTMLElement} */ (option.closest('[data-pick]')), option);
});
document.addEventListener('focusout', (event) => {
  const holder = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[data-pick]'));
  if (!holder) return;
  const { line, kept } = parts(holder);
  // An emptied line means nobody; words that were not chosen go back to what is kept.
  if (!line.value.trim()) { if (kept.value) choose(holder, null); }
  else if (line.value !== (line.dataset.chosen || '')) line.value = line.dataset.chosen || '';
  close(holder);
});
