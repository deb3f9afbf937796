// @ts-check
// Settings: find a setting by its words.
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

bind('/', _('Search in settings'), group, find);
document.querySelector('[data-do="find-setting"]')?.addEventListener('click', find);
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
