// @ts-check
// Instants for words: "tomorrow morning" in the place where one sits.
import { upcoming } from 'hub/i18n';

/** An instant in microseconds; 0 where there is none. */
export function instant(word, input = null) {
  const at = new Date();
  if (word === 'hour') at.setTime(at.getTime() + 3600e3);
  else if (word === 'evening') { at.setHours(18, 0, 0, 0); if (at < new Date()) at.setDate(at.getDate() + 1); }
  else if (word === 'tomorrow') { at.setDate(at.getDate() + 1); at.setHours(9, 0, 0, 0); }
  else if (word === 'monday') { at.setDate(at.getDate() + ((8 - at.getDay()) % 7 || 7)); at.setHours(9, 0, 0, 0); }
  else if (word === 'week') { at.setDate(at.getDate() + 7); at.setHours(9, 0, 0, 0); }
  else {
    const given = new Date(input?.value || '');
    if (Number.isNaN(given.getTime()) || given <= at) return 0;
    at.setTime(given.getTime());
  }
  return at.getTime() * 1000;
}

/** Write beside each preset when it will be. */
export function drawPresets(menu) {
  for (const one of menu.querySelectorAll('[data-preset]')) one.textContent = upcoming(instant(one.getAttribute('data-preset')) / 1000);
}
