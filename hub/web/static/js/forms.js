// @ts-check
// Forms of cards and settings: saved by key, and nothing that was typed is lost by leaving.
import { _ } from 'hub/i18n';
import { bind } from 'hub/keys';

const PRIMARY = '.btn.primary:not([type="button"])';
const ANY = '.btn:not([type="button"])';

/** Those whose fields somebody fills in; ticks for an act on many are none. */
function forms() { return /** @type {HTMLFormElement[]} */ ([...document.querySelectorAll('main form[method="post"]:not([data-own]):not(#bulk)')]); }

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
  return forms().find((one) => (own ? one === own && (one.querySelector(PRIMARY) || isTouched(one)) : isTouched(one)));
}

function save() {
  const form = meant();
  form?.requestSubmit(form.querySelector(PRIMARY) || form.querySelector(ANY));
}

// Without a form that is meant the key is whoever's else it is.
const when = () => Boolean(meant());
bind('Ctrl+S', _('Save'), _('Everywhere'), save, { typing: true, when });
// A page may have a button of its own for this key: one that saves and closes.
bind('Ctrl+Enter', _('Save'), _('Everywhere'), save, { typing: true, when: () => when() && !document.querySelector('[data-key="Ctrl+Enter"]') });

const me = document.querySelector('meta[name="me"]')?.getAttribute('content');
/** By what a form of one page is found on the page that answers it. */
const sign = (form) => [me, form.getAttribute('action'), form.querySelector('input[name="do"]')?.value || '', ...new Set([...form.elements].map((one) => /** @type {HTMLInputElement} */ (one).name))].join(' ');

/** Give a refused form back what stood in it. */
function giveBack(form, given) {
  const values = new Map();
  for (const [name, value] of given) values.set(name, [...(values.get(name) || []), value]);
  for (const field of form.elements) {
    if (!field.name || (field.type === 'hidden' && !field.closest('[data-pick]'))) continue;
    if (field.type === 'checkbox' || field.type === 'radio') field.checked = (values.get(field.name) || []).includes(field.value);
    else if (values.get(field.name)?.length) field.value = values.get(field.name).shift();
  }
}

const kept = JSON.parse(sessionStorage.getItem('sent') || 'null');
sessionStorage.removeItem('sent');
const refused = kept && document.querySelector('main [data-refused]') && [...document.querySelectorAll('main form')].find((form) => sign(form) === kept[0]);
if (refused) {
  giveBack(refused, kept[1]);
  // Nothing is drawn over it; and what is read again is the card, not the act that was refused.
  document.documentElement.dataset.kept = 'yes';
  history.replaceState(null, '', location.pathname.replace(/\/act$/, ''));
}
// An address may name a form that is folded away, as a board's column does that asks for more.
const aimed = refused ? null : document.getElementById(location.hash.slice(1));
// Who is told that something is wrong stands where it is.
const wrong = document.querySelector('main [aria-invalid="true"]') || document.getElementById(document.querySelector('main [data-refused] a')?.getAttribute('href')?.slice(1) || '') || (refused || (aimed instanceof HTMLDetailsElement ? aimed : null))?.querySelector('input:not([type="hidden"]), select, textarea');
for (let box = wrong?.closest('details'); box; box = box.parentElement?.closest('details')) box.open = true;
/** @type {HTMLElement | null} */ (wrong)?.focus();

/** The form that is on its way: what stands in it is not lost. */
let sent = null;
document.addEventListener('submit', (event) => {
  sent = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || sent.method !== 'post') return;
  const given = [...new FormData(sent)].filter(([name, value]) => typeof value === 'string' && !name.startsWith('_') && !sent.querySelector('[type="password"]'));
  sessionStorage.setItem('sent', JSON.stringify([sign(sent), given]));
});
addEventListener('beforeunload', (event) => {
  if (!forms().some((one) => one !== sent && isTouched(one))) return;
  event.preventDefault();
  // Whoever stays here has sent nothing.
  sent = null;
});
