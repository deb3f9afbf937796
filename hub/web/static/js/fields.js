// @ts-check
// Custom fields: the card is drawn again while a field is typed.
import { fragment } from 'hub/api';

const form = /** @type {HTMLFormElement | null} */ (document.querySelector('form[data-preview]'));
const shown = document.getElementById('preview');
const choices = /** @type {HTMLElement | null} */ (form?.querySelector('[data-choices]') || null);
let waits = 0;

async function draw() {
  if (!form || !shown) return;
  const given = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  given.delete('_csrf');
  try {
    const html = await fragment(form.dataset.preview + '?' + given);
    const page = new DOMParser().parseFromString(html, 'text/html');
    shown.replaceChildren(...page.body.childNodes);
  } catch { /* The next letter draws it. */ }
}

function later() {
  const type = form?.querySelector('select[name="type"]');
  if (choices && type) choices.hidden = !['choice', 'choices'].includes(/** @type {any} */ (type).value);
  clearTimeout(waits);
  waits = window.setTimeout(draw, 150);
}

form?.addEventListener('input', later);
form?.querySelector('[data-do="more-choices"]')?.addEventListener('click', (event) => {
  const rows = [...(choices?.querySelectorAll('.choice-row') || [])];
  const last = rows.at(-1);
  if (!last) return;
  const row = /** @type {HTMLElement} */ (last.cloneNode(true));
  for (const one of row.querySelectorAll('input')) {
    one.name = one.name.replace(/\d+$/, String(rows.length));
    one.value = '';
    one.setAttribute('aria-label', (one.getAttribute('aria-label') || '').replace(/\d+/, String(rows.length + 1)));
  }
  last.after(row);
  /** @type {HTMLElement | null} */ (row.querySelector('input:not([type="hidden"])'))?.focus();
  event.preventDefault();
});
