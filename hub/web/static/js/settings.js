// @ts-check
// Settings: find a setting by its words, save by key, and lose nothing that was typed.
import { loadTexts, _ } from 'hub/i18n';

await loadTexts();
// The keys of every page first.
await import('hub/app');
// The sheet is there before the key is: what is typed after it belongs to the sheet.
const [{ bind }, { choose }, { findSettings }] = await Promise.all([import('hub/keys'), import('hub/sheet'), import('hub/palette')]);
const group = _('Settings');

async function find() {
  const one = await choose(_('Search in settings'), _('The name of a setting'), async (text, done) => done(await findSettings(text, 40)));
  if (one) location.href = one.href;
}

const forms = [...document.querySelectorAll('.settings form[method="post"]')].filter((form) => form.querySelector('.btn.primary') && !(/** @type {HTMLElement} */ (form).dataset.own));
const said = (form) => new URLSearchParams(/** @type {any} */ (new FormData(form))).toString();
const before = new Map(forms.map((form) => [form, said(form)]));
let saving = false;

function save() {
  const form = document.activeElement?.closest('form') || forms.find((one) => said(one) !== before.get(one)) || forms[0];
  if (form && before.has(form)) /** @type {HTMLFormElement} */ (form).requestSubmit();
}

bind('/', _('Search in settings'), group, find);
bind('Ctrl+S', _('Save'), group, save, { typing: true });
bind('Ctrl+Enter', _('Save'), group, save, { typing: true });
document.querySelector('[data-do="find-setting"]')?.addEventListener('click', find);
document.addEventListener('submit', () => { saving = true; });
addEventListener('beforeunload', (event) => {
  if (!saving && forms.some((one) => one.isConnected && said(one) !== before.get(one))) event.preventDefault();
});
// The menu may be longer than the window, and on a phone it opens over it.
const menu = document.querySelector('.side');
const where = /** @type {HTMLElement | null} */ (menu?.querySelector('[aria-current]'));
function reveal() {
  where?.scrollIntoView({ block: 'nearest' });
}
menu?.addEventListener('toggle', reveal);
reveal();
if (document.getElementById('devices')) await import('hub/push');
document.documentElement.dataset.ready = 'settings';
