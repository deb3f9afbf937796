// @ts-check
// A dialog that stays open while much comes: its oldest entries go, as if it had just been opened.
import { _ } from 'hub/i18n';
import { element } from 'hub/api';

/** How many messages a dialog is opened with; how many more may stand there, and how many while nobody looks. */
const WINDOW = 50;
const MORE = 30;
const UNSEEN = 450;

/** Whether somebody's hand is in a list: something of it is focused or chosen. */
function held(list) {
  const chosen = document.getSelection();
  return list.contains(document.activeElement) || Boolean(chosen && !chosen.isCollapsed && list.contains(chosen.anchorNode));
}

/** Let the oldest entries go of a list whose end is read; gives the line that brings them back, null where they stay. */
export function trim(list, box) {
  const all = list.querySelectorAll('.msg[data-message]');
  const more = document.hasFocus() ? MORE : UNSEEN;
  let older = list.querySelector('[data-older]');
  let n = all.length - WINDOW;
  if (n < more || older?.hasAttribute('aria-busy') || held(list)) return null;
  // So much stays that earlier ones are not asked for before somebody looks for them.
  const reach = list.lastElementChild.offsetTop - box.clientHeight - 400;
  while (n >= more && all[n].offsetTop > reach) n -= 10;
  if (n < more) return null;
  let day = null;
  for (let one = all[n].previousElementSibling, before; one; one = before) {
    before = one.previousElementSibling;
    if (!day && one.hasAttribute('data-day')) day = one;
    else if (one !== older) one.remove();
  }
  if (!older) {
    older = element('<div class="sep"><button class="btn small quiet" type="button" data-do="older"></button></div>');
    /** @type {HTMLElement} */ (older.firstElementChild).textContent = _('Show earlier messages');
    list.prepend(older);
  }
  older.setAttribute('data-older', all[n].dataset.message);
  box.scrollTop = box.scrollHeight;
  return older;
}
