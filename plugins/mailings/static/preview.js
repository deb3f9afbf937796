// @ts-check
// What is written now as it will look: on a desk, on a phone, in the dark, and in plain words.
import { openSheet } from 'hub/sheet';
import { offer } from 'hub/placeholders';

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('mailing-form'));
const button = /** @type {HTMLElement | null} */ (document.querySelector('[data-preview]'));
const variable = /** @type {HTMLElement | null} */ (document.querySelector('[data-placeholders]'));
const areas = /** @type {HTMLTextAreaElement[]} */ ([...document.querySelectorAll('textarea[data-blocks]')]);
let written = areas[0];

form?.addEventListener('focusin', (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const field = target.closest('.block-editor')?.previousElementSibling || target.closest('.field');
  written = areas.find((one) => field?.contains(one)) || written;
});

function show() {
  if (!form || !written || !button) return;
  const words = JSON.parse(button.dataset.preview || '{}');
  const sheet = openSheet(button.textContent?.trim() || '', 'preview');
  const name = 'letter-preview';
  const frame = document.createElement('iframe');
  frame.name = name;
  frame.title = words.desk;
  const send = document.createElement('form');
  send.method = 'post';
  send.action = '/p/mailings/preview';
  send.target = name;
  send.hidden = true;
  const put = (key, value) => { const input = document.createElement('textarea'); input.name = key; input.value = value; send.append(input); return input; };
  const own = (key) => /** @type {HTMLInputElement | null} */ (form.elements.namedItem(key))?.value || '';
  put('_csrf', own('_csrf'));
  put('text', written.value);
  put('plain', own(written.name.replace('text', 'plain')));
  const view = put('view', 'desk');
  const choices = document.createElement('div');
  choices.className = 'acts';
  choices.setAttribute('role', 'group');
  const turn = (to) => {
    view.value = to;
    frame.title = words[to];
    frame.dataset.view = to;
    for (const one of choices.children) one.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (one).dataset.view === to));
    send.submit();
  };
  for (const key of ['desk', 'phone', 'dark', 'plain']) {
    const one = document.createElement('button');
    one.type = 'button';
    one.className = 'btn';
    one.dataset.view = key;
    one.textContent = words[key];
    one.addEventListener('click', () => turn(key));
    choices.append(one);
  }
  sheet.body.append(choices, frame, send);
  turn('desk');
  /** @type {HTMLElement} */ (choices.firstElementChild).focus();
}

button?.addEventListener('click', show);
if (variable && form) offer(variable, form);
