// @ts-check
// One more address of a person, of every kind that people know of each other; and whose it is, where it is taken.
import { _ } from 'hub/i18n';
import { act, complain, Refused } from 'hub/api';
import { openSheet } from 'hub/sheet';

/** Give what leads to the person who has an address already, where one may see him. */
function ownerOf(error) {
  const owner = error instanceof Refused && error.what === 'address_taken' && error.details;
  if (!owner || !owner.name) return [];
  return [': ', Object.assign(document.createElement('a'), { className: 'person', href: '/contacts/' + owner.id, textContent: owner.name })];
}

/** Say why an address was not taken, and whose it is. */
export function complainOfAddress(error) {
  complain(error);
  document.querySelector('#toasts .toast:last-child span')?.append(...ownerOf(error));
}

/** Ask for an address of the person whose card the button stands on. @param {HTMLElement} button */
export function addAddress(button) {
  const contact = button.closest('[data-contact]')?.getAttribute('data-contact');
  const sheet = openSheet(_('Add an address'), 'narrow');
  const form = document.createElement('form');
  const kind = document.createElement('select');
  kind.className = 'select';
  kind.setAttribute('aria-label', _('Kind'));
  kind.append(...JSON.parse(button.dataset.kinds || '[]').map(([value, textContent]) => Object.assign(document.createElement('option'), { value, textContent })));
  const value = document.createElement('input');
  value.className = 'input';
  value.required = true;
  value.setAttribute('aria-label', _('Address'));
  const wrong = document.createElement('p');
  wrong.className = 'error';
  wrong.setAttribute('role', 'alert');
  const send = document.createElement('button');
  send.className = 'btn primary';
  send.textContent = _('Add');
  // What is plainly a letter's address needs no choice, until somebody made one.
  let chosen = false;
  kind.addEventListener('change', () => { chosen = true; });
  value.addEventListener('input', () => { if (!chosen) kind.value = /.@./.test(value.value) ? 'email' : 'phone'; });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await act('address', { contact, kind: kind.value, value: value.value });
      sheet.dialog.close();
      // The card is drawn anew only while nobody is in it, and the sheet gave the focus back to its button.
      button.blur();
    } catch (error) {
      if (error instanceof Refused) wrong.replaceChildren(error.message, ...ownerOf(error));
      else complain(error);
    }
  });
  form.append(kind, value, wrong, send);
  sheet.body.append(form);
  value.focus();
}
