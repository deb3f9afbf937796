// @ts-check
// Instants for words: "tomorrow morning" by the reader's own clock, whatever the computer's zone.
import { _, fromWall, upcoming, wallOf } from 'hub/i18n';

/** An instant in microseconds; 0 where there is none. */
export function instant(word, input = null) {
  const now = Date.now();
  const [year, month, day] = wallOf(now);
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  const later = (days, hour) => fromWall(year, month, day + days, hour, 0);
  let at = 0;
  if (word === 'hour') at = now + 3600e3;
  else if (word === 'evening') at = later(0, 18) > now ? later(0, 18) : later(1, 18);
  else if (word === 'tomorrow') at = later(1, 9);
  else if (word === 'monday') at = later((8 - weekday) % 7 || 7, 9);
  else if (word === 'week') at = later(7, 9);
  else {
    const given = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)/.exec(input?.value || '');
    if (given) at = fromWall(...(/** @type {[number, number, number, number, number]} */ (given.slice(1).map(Number))));
    if (at <= now) return 0;
  }
  return at * 1000;
}

/** Write beside each preset when it will be. */
export function drawPresets(menu) {
  for (const one of menu.querySelectorAll('[data-preset]')) {
    const key = one.getAttribute('data-preset');
    const at = instant(key) / 1000;
    one.textContent = upcoming(at);
    // On a Sunday it is tomorrow morning, which is offered already.
    if (key === 'monday') /** @type {HTMLElement} */ (one.closest('button')).hidden = at === instant('tomorrow') / 1000;
    // This evening is over.
    if (key === 'evening' && wallOf(at)[2] !== wallOf(Date.now())[2]) one.previousElementSibling.textContent = _('Tomorrow evening');
  }
}
