// @ts-check
// Buttons and links that have a key of their own (`data-key`): the key presses them, and the help
// sheet calls it as they are called. One that stands in each row is pressed in the row one is in.
import { _ } from 'hub/i18n';
import { bind } from 'hub/keys';

const ROW = 'tr, li';
const all = (combo) => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(`[data-key="${combo}"]`)]);

/** The one that a key means now: of the row that is stood in, else one that stands in no row. */
function meant(combo) {
  const row = document.activeElement?.closest(ROW);
  return all(combo).find((one) => { const own = one.closest(ROW); return own === row || (!own && row); }) || null;
}

const combos = new Set(/** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-key]')]).map((one) => one.dataset.key || ''));
for (const combo of combos) {
  const one = all(combo)[0];
  bind(combo, one.getAttribute('aria-label') || one.textContent?.trim() || '', _('Page'), () => meant(combo)?.click(), { when: () => Boolean(meant(combo)) });
}
