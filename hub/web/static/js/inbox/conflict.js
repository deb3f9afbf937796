// @ts-check
// A colleague changed the same person while one wrote.
import { _ } from 'hub/i18n';
import { fragment } from 'hub/api';
import { current } from 'hub/inbox/thread';

/** Somebody changed the same person meanwhile: both values are shown, one is chosen. */
export async function conflict(input, save) {
  const id = current();
  const html = await fragment('/inbox/dialog/' + id).catch(() => '');
  const box = document.createElement('template');
  box.innerHTML = html;
  const side = /** @type {HTMLTemplateElement | null} */ (box.content.querySelector('template'));
  const theirs = side?.content.querySelector('[name="' + input.name + '"]');
  const version = side?.content.querySelector('.card')?.getAttribute('data-version');
  const here = document.querySelector('#card-pane .card');
  if (!theirs || !version || !here || current() !== id) return;
  here.setAttribute('data-version', version);
  const value = /** @type {any} */ (theirs).value;
  if (value === input.dataset.was) { save({ target: input }); return; }
  const line = document.createElement('div');
  line.className = 'conflict';
  line.setAttribute('role', 'alert');
  line.append(_('A colleague wrote: {value}', { value: value || '—' }));
  for (const [label, take] of /** @type {[string, () => void][]} */ ([
    [_('Keep theirs'), () => { input.value = value; input.dataset.was = value; line.remove(); }],
    [_('Take mine'), () => { input.dataset.was = value; line.remove(); save({ target: input }); }],
  ])) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn small';
    button.textContent = label;
    button.addEventListener('click', take);
    line.append(button);
  }
  input.parentElement?.querySelector('.conflict')?.remove();
  input.after(line);
}
