// @ts-check
// Telling somebody who looks elsewhere: only about what is his, only by the tab that holds the
// stream, with a sound that can be turned off.
import { _ } from 'hub/i18n';
import { element } from 'hub/api';
import { isLeader } from 'hub/live';

const sound = document.querySelector('meta[name="me"]')?.getAttribute('data-sound') !== 'off';
let heard = 0;

/** Two short notes, made here: nothing is downloaded. */
function chime() {
  const now = Date.now();
  if (!sound || now - heard < 4000 || !navigator.userActivation?.hasBeenActive) return;
  heard = now;
  try {
    const context = new AudioContext();
    const gain = context.createGain();
    gain.connect(context.destination);
    gain.gain.setValueAtTime(0.05, context.currentTime);
    gain.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + 0.5);
    [660, 880].forEach((pitch, n) => {
      const tone = context.createOscillator();
      tone.frequency.value = pitch;
      tone.connect(gain);
      tone.start(context.currentTime + n * 0.12);
      tone.stop(context.currentTime + n * 0.12 + 0.35);
    });
    setTimeout(() => context.close(), 1000);
  } catch { /* no sound here */ }
}

/** Say something aloud and on the screen; a later word with the same tag takes its place. */
export function show(title, body, tag, open) {
  chime();
  if (typeof Notification === 'undefined' || Notification.permission !== 'granted') return;
  try {
    const one = new Notification(title, { body, tag });
    one.onclick = () => { window.focus(); open(); one.close(); };
  } catch { /* a phone shows them by its worker only */ }
}

/** A row has changed: is it worth a word? */
export function notifyRow(item, row, open) {
  if (!isLeader() || document.hasFocus() || item.last !== 'in' || !item.mine) return;
  const known = row && Number(row.dataset.inbound);
  const node = element(item.html);
  if (row?.querySelector('[data-muted]:not([hidden])') || (known && Number(node.dataset.inbound) <= known)) return;
  show(node.querySelector('.name')?.textContent || 'Dialog Hub', node.querySelector('.preview')?.textContent || '', 'dialog-' + item.id, () => open(item.id));
}

/** Somebody has named this user in a note. */
export function notifyMention(item, open) {
  if (isLeader() && !document.hasFocus()) show(_('You are mentioned in a note'), '', 'dialog-' + item.id, () => open(item.id));
}

/** Offer notifications where the browser has not been asked yet; it asks when one wants it. */
export function offerPermission() {
  const button = /** @type {HTMLElement | null} */ (document.querySelector('[data-do="notify"]'));
  if (!button || typeof Notification === 'undefined' || Notification.permission !== 'default' || !isSecureContext) return;
  button.hidden = false;
  button.addEventListener('click', () => Notification.requestPermission().then(() => { button.hidden = true; }).catch(() => {}));
}
