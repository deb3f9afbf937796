// @ts-check
// A page whose list is of links (`data-walk` names them): J and K, or the arrows, go from one to the
// next, and Enter follows it as any link.
import { _ } from 'hub/i18n';
import { bind } from 'hub/keys';

const GROUP = _('List');
const lists = () => /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-walk]'));
// A list is drawn again under our feet: its links are looked for each time.
const links = () => [...lists()].flatMap((one) => [.../** @type {NodeListOf<HTMLElement>} */ (one.querySelectorAll(one.dataset.walk || 'a'))]);

function move(step) {
  const all = links();
  const now = all.indexOf(/** @type {any} */ (document.activeElement));
  all[Math.max(0, Math.min(all.length - 1, now < 0 ? 0 : now + step))]?.focus();
}

// Rows of the inbox, where one link of the list takes part in the order of tabs, may stand here too.
for (const link of links()) link.tabIndex = 0;
bind('J', _('Next row'), GROUP, () => move(1));
bind('K', _('Row before'), GROUP, () => move(-1));
bind('Down', _('Next row'), GROUP, () => move(1));
bind('Up', _('Row before'), GROUP, () => move(-1));
