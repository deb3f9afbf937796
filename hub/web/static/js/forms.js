// @ts-check
// Forms of cards and settings: saved by key, and nothing that was typed is lost by leaving.
import { _ } from 'hub/i18n';
import { bind } from 'hub/keys';

const PRESSED = 'button.btn.primary:not([type="button"])';

function forms() {
  const all = /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll('main form[method="post"]:not([data-own])'));
  return [...all].filter((form) => form.querySelector(PRESSED));
}

/** Whether a field stands otherwise than the page was drawn with. */
function differs(field) {
  if (field.disabled || field.type === 'hidden') return false;
  if (field instanceof HTMLSelectElement) {
    const drawn = [...field.options].findLastIndex((one) => one.defaultSelected);
    return field.selectedIndex !== (drawn < 0 && field.options.length ? 0 : drawn);
  }
  if (field.type === 'checkbox' || field.type === 'radio') return field.checked !== field.defaultChecked;
  return 'defaultValue' in field && field.value !== field.defaultValue;
}

function isTouched(form) { return [...form.elements].some(differs); }

/** The form that a key saves: the one that is written in; from outside of all forms one that was touched. */
function meant() {
  const own = document.activeElement?.closest('form');
  return own ? forms().find((one) => one === own) : forms().find(isTouched);
}

function save() {
  const form = meant();
  form?.requestSubmit(form.querySelector(PRESSED));
}

// Without a form that is meant the key is whoever's else it is.
const when = () => Boolean(meant());
bind('Ctrl+S', _('Save'), _('Everywhere'), save, { typing: true, when });
bind('Ctrl+Enter', _('Save'), _('Everywhere'), save, { typing: true, when });

/** The form that is on its way: what stands in it is not lost. */
let sent = null;
document.addEventListener('submit', (event) => { sent = event.target; });
addEventListener('beforeunload', (event) => {
  if (!forms().some((one) => one !== sent && isTouched(one))) return;
  event.preventDefault();
  // Whoever stays here has sent nothing.
  sent = null;
});
