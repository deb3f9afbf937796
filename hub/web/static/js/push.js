// @ts-check
// Notices on this device: the browser is asked only when the button is pressed, and why it cannot be
// is said in words.
import { _ } from 'hub/i18n';
import { complain, post } from 'hub/api';

const box = /** @type {HTMLElement} */ (document.getElementById('devices'));
const button = /** @type {HTMLButtonElement} */ (box.querySelector('[data-do="push-here"]'));
const said = /** @type {HTMLElement} */ (box.querySelector('[data-push-said]'));
const isHere = Boolean(box.querySelector('[data-this]'));

/** Why this browser cannot be called; nothing where it can. */
function obstacle() {
  if (!isSecureContext) return _('The hub is open over plain http: a browser allows notices on a device only over https.');
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) return _('This browser cannot do it. On an iPhone or iPad, put the hub on the home screen first and open it from there.');
  if (Notification.permission === 'denied') return _('Notifications of this site are blocked: allow them in the settings of the browser, then load this page again.');
  return '';
}

/** The key as the browser wants it. */
function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
}

async function subscribed(key) {
  const { pushManager } = await navigator.serviceWorker.ready;
  const known = await pushManager.getSubscription();
  // One for another key is of no use to anybody.
  if (known) await known.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
}

async function here() {
  button.disabled = true;
  try {
    if (await Notification.requestPermission() !== 'granted') return look();
    const answer = await fetch('/api/v1/notices/push', { headers: { Accept: 'application/json' } });
    const { public_key: key } = await answer.json();
    const { endpoint, keys } = (await subscribed(key)).toJSON();
    await post('/api/v1/notices/push/devices', { endpoint, keys });
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
look();
