// @ts-check
// The form of a quick reply: placeholders by a press, and a preview while one writes.
import { offer } from 'hub/placeholders';

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('reply-form'));
const token = document.querySelector('meta[name="csrf"]')?.getAttribute('content') || '';
const areas = /** @type {HTMLTextAreaElement[]} */ ([...document.querySelectorAll('textarea[data-template]')]);
let last = areas[0];
/** @type {Record<string, number>} */
const timers = {};

async function preview(area) {
  const language = area.dataset.template || 'ru';
  const place = document.querySelector('[data-preview-of="' + language + '"]');
  if (!place || !form) return;
  if (!area.value.trim()) { place.replaceChildren(); return; }
  const body = new URLSearchParams({ text: area.value, language });
  const answer = await fetch(form.dataset.preview || '', { method: 'POST', body, headers: { 'x-csrf-token': token, accept: 'application/json' } });
  if (!answer.ok) return;
  const found = await answer.json();
  const line = (kind, text) => { const node = document.createElement('p'); node.className = kind; node.textContent = text; return node; };
  const shown = [];
  for (const one of found.problems) shown.push(line('error', one));
  if (!found.problems.length) {
    shown.push(line('muted small', form.dataset.known || ''), line('words', found.text));
    if (found.unknown_person !== found.text) shown.push(line('muted small', form.dataset.stranger || ''), line('words', found.unknown_person));
  }
  place.replaceChildren(...shown);
}

for (const area of areas) {
  area.addEventListener('focus', () => { last = area; });
  area.addEventListener('input', () => { const key = area.name; clearTimeout(timers[key]); timers[key] = window.setTimeout(() => preview(area), 350); });
}
form?.addEventListener('click', (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest('[data-variable]');
  if (!button || !last) return;
  last.setRangeText('{{ ' + button.getAttribute('data-variable') + ' }}', last.selectionStart, last.selectionEnd, 'end');
  last.focus();
  preview(last);
});
// The preview of the language that is written in, at once and in sight.
document.querySelector('[data-look]')?.addEventListener('click', async () => {
  if (!last) return;
  await preview(last);
  const place = /** @type {HTMLElement | null} */ (document.querySelector('[data-preview-of="' + last.dataset.template + '"]'));
  place?.scrollIntoView({ block: 'nearest' });
  place?.focus();
});
const chooser = /** @type {HTMLElement | null} */ (document.querySelector('[data-placeholders]'));
if (chooser && form) offer(chooser, form);
document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.code === 'KeyS' && form) { event.preventDefault(); form.requestSubmit(); }
});
