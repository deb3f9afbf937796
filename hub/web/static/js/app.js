// @ts-check
// Every page: texts, keys, the connection's state, menus, the leader's notifications.
import { loadTexts, _ } from 'hub/i18n';
import { reconnect, onState, startLive, lostFor, onItems } from 'hub/live';

await loadTexts();
const { startKeys, showHelp, bind } = await import('hub/keys');
startKeys();
bind('Esc', _('One layer back'), _('Everywhere'), () => {
  const menu = document.querySelector('[popover]:popover-open');
  if (menu) /** @type {any} */ (menu).hidePopover();
  else if (document.activeElement instanceof HTMLElement && document.activeElement !== document.body) document.activeElement.blur();
});

document.addEventListener('click', (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest('[data-do]');
  const what = button?.getAttribute('data-do');
  if (what === 'help') showHelp();
  if (what === 'reconnect') reconnect();
});

// Menus stand under their button, inside the window.
document.addEventListener('toggle', (event) => {
  const menu = /** @type {HTMLElement} */ (event.target);
  if (/** @type {any} */ (event).newState !== 'open' || !menu.matches('.menu[popover]')) return;
  const opener = document.querySelector('[popovertarget="' + menu.id + '"]:hover, [popovertarget="' + menu.id + '"]:focus') || document.querySelector('[popovertarget="' + menu.id + '"]');
  const at = opener?.getBoundingClientRect() || { left: innerWidth / 2 - 110, bottom: innerHeight / 3, top: 0 };
  const box = menu.getBoundingClientRect();
  menu.style.left = Math.max(8, Math.min(at.left, innerWidth - box.width - 8)) + 'px';
  const below = at.bottom + 4;
  menu.style.top = (below + box.height < innerHeight ? below : Math.max(8, (at.top || at.bottom) - box.height - 4)) + 'px';
  menu.querySelector('button, a, input')?.focus({ preventScroll: true });
}, true);
document.addEventListener('keydown', (event) => {
  const menu = document.querySelector('.menu:popover-open');
  if (!menu || !['ArrowDown', 'ArrowUp'].includes(event.code)) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll('button, a')];
  const now = items.indexOf(/** @type {any} */ (document.activeElement));
  const next = items[(now + (event.code === 'ArrowDown' ? 1 : -1) + items.length) % items.length];
  /** @type {HTMLElement} */ (next)?.focus();
});

const bar = document.getElementById('connection');
if (bar) {
  onState(() => {});
  setInterval(() => {
    const lost = lostFor();
    bar.hidden = lost < 3000;
    bar.classList.toggle('bad', lost > 20000);
    const words = bar.querySelector('[data-text]');
    if (words && lost > 20000) words.textContent = _('No connection. What you write is kept.');
    else if (words) words.textContent = _('Reconnecting…');
  }, 500);
  startLive();
}

const dot = document.getElementById('rail-unread');
async function counters() {
  try {
    const answer = await fetch('/inbox/counters', { headers: { Accept: 'application/json' } });
    if (!answer.ok) return;
    const found = await answer.json();
    for (const chip of document.querySelectorAll('[data-count]')) {
      const name = chip.getAttribute('data-count') || '';
      if (name in found) chip.textContent = found[name] >= 1000 ? '999+' : String(found[name]);
    }
    if (dot) { dot.textContent = String(found.unread); dot.hidden = !found.unread; }
    document.title = document.title.replace(/^\(\d+\+?\) /, '');
    if (found.unread) document.title = '(' + found.unread + ') ' + document.title;
  } catch { /* the next change asks again */ }
}
let counting = 0;
onItems((items) => {
  if (items.some((one) => one.k === 'counters' || one.k === 'resync') && !counting) {
    counting = window.setTimeout(() => { counting = 0; counters(); }, 400);
  }
  if (items.some((one) => one.k === 'session')) location.reload();
});
if (dot) counters();
if (location.protocol === 'https:' || location.hostname === 'localhost' || location.hostname === '127.0.0.1') {
  navigator.serviceWorker?.register('/worker.js').catch(() => {});
}
