// @ts-check
// Notices on this device: the browser is asked only when the button is pressed, and why it cannot be
// is said in words.
import { _ } from 'hub/i18n';
import { complain } from 'hub/api';
import { subscribe, wish } from 'hub/device';

const box = /** @type {HTMLElement} */ (document.getElementById('devices'));
const button = /** @type {HTMLButtonElement} */ (box.querySelector('[data-do="push-here"]'));
const said = /** @type {HTMLElement} */ (box.querySelector('[data-push-said]'));
const me = document.querySelector('meta[name="me"]')?.getAttribute('content') || '';
const isHere = Boolean(box.querySelector('[data-this]'));

/** Why this browser cannot be called; nothing where it can. */
function obstacle() {
  if (!isSecureContext) return _('The hub is open over plain http: a browser allows notices on a device only over https.');
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) return _('This browser cannot do it. On an iPhone or iPad, put the hub on the home screen first and open it from there.');
  if (Notification.permission === 'denied') return _('Notifications of this site are blocked: allow them in the settings of the browser, then load this page again.');
  return '';
}

async function here() {
  button.disabled = true;
  try {
    if (await Notification.requestPermission() !== 'granted') return look();
    await subscribe(me);
    location.href = '/settings/notices?said=created#devices';
  } catch (error) {
    if (error instanceof DOMException) said.textContent = _('The browser reaches no push service: {reason}', { reason: error.message });
    else complain(error);
  } finally {
    button.disabled = false;
  }
}

/** Show the button, or why there is none. */
function look() {
  const why = obstacle();
  said.textContent = why;
  button.hidden = isHere || Boolean(why);
}

button.addEventListener('click', here);
// What is switched here counts for the next login here, too.
if (isHere) wish(me, !box.querySelector('[data-this][data-off]'));
box.addEventListener('submit', (event) => {
  const pressed = /** @type {HTMLButtonElement | null} */ (event.submitter);
  if (pressed?.closest('[data-this]') && pressed.name !== 'test') wish(me, pressed.name === 'on');
});
look();
