// @ts-check
// Every page: texts, keys, the connection's state, menus, the leader's notifications.
import { loadTexts, _ } from 'hub/i18n';
import { act, fragment, leaving } from 'hub/api';
import { reconnect, onState, startLive, lostFor, onItems } from 'hub/live';

await loadTexts();
const { startKeys, bind } = await import('hub/keys');
// Here before the first key: what is typed right after the key that opens it belongs into it.
const { showHelp, showPalette } = await import('hub/palette');
bind('Ctrl+K', _('Command palette'), _('Everywhere'), showPalette, { typing: true });
bind('?', _('Show the keys'), _('Everywhere'), showHelp);
// Places of the rail that plugins bring say their own key.
for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('a[data-keys]'))) bind(link.dataset.keys || '', _('Go to {place}', { place: link.textContent?.trim() || '' }), _('Everywhere'), () => { location.href = link.href; });
startKeys();
import('hub/deadlines');
if (document.querySelector('[data-pick]')) import('hub/pick');
if (document.querySelector('[data-walk]')) import('hub/walk');
if (document.querySelector('[data-key]')) import('hub/keyed');
bind('Esc', _('One layer back'), _('Everywhere'), () => {
  const menu = document.querySelector('[popover]:popover-open');
  if (menu) /** @type {any} */ (menu).hidePopover();
  else if (document.activeElement instanceof HTMLElement && document.activeElement !== document.body) document.activeElement.blur();
});

document.addEventListener('click', (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest('[data-do]');
  const what = button?.getAttribute('data-do');
  if (what === 'help') showHelp();
  if (what === 'palette') showPalette();
  if (what === 'reconnect') reconnect();
});

// Menus stand under their button, inside the window.
document.addEventListener('toggle', (event) => {
  const menu = /** @type {HTMLElement} */ (event.target);
  if (/** @type {any} */ (event).newState !== 'open' || !menu.matches('.menu[popover]')) return;
  const opener = document.querySelector('[popovertarget="' + menu.id + '"]:hover, [popovertarget="' + menu.id + '"]:focus') || document.querySelector('[popovertarget="' + menu.id + '"]');
  const at = opener?.getBoundingClientRect() || { left: innerWidth / 2 - 110, right: innerWidth / 2 + 110, bottom: innerHeight / 3, top: 0 };
  const box = menu.getBoundingClientRect();
  const left = opener?.closest('.joined') ? at.right - box.width : at.left;
  menu.style.left = Math.max(8, Math.min(left, innerWidth - box.width - 8)) + 'px';
  const below = at.bottom + 4;
  menu.style.top = (below + box.height < innerHeight ? below : Math.max(8, (at.top || at.bottom) - box.height - 4)) + 'px';
  if (!menu.contains(document.activeElement)) /** @type {HTMLElement | null} */ (menu.querySelector('button, a, input'))?.focus({ preventScroll: true });
}, true);
let typed = '';
let typedAt = 0;
document.addEventListener('keydown', (event) => {
  // First what costs nothing: this hears every letter that is typed.
  const letter = event.key.length === 1 && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey && !/** @type {HTMLElement} */ (event.target).matches('input, textarea, select') && event.key.toLowerCase();
  if (!letter && !['ArrowDown', 'ArrowUp', 'Enter'].includes(event.code)) return;
  const menu = document.querySelector('.menu:popover-open');
  if (!menu) return;
  const items = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll('button, a')]);
  const now = items.indexOf(/** @type {any} */ (document.activeElement));
  if (event.code === 'Enter') {
    // Typed before the opened menu was told that it is open, and took the focus.
    if (!menu.contains(document.activeElement)) { event.preventDefault(); items[0]?.click(); }
    return;
  }
  if (letter) {
    // The next one with a word that begins so; letters in quick succession are of one word. Space presses.
    if (letter === ' ') return;
    const find = (start, from) => [...items.slice(from), ...items].find((one) => one.innerText.toLowerCase().split(/\s+/).some((word) => word.startsWith(start)));
    typed = event.timeStamp - typedAt < 700 ? typed + letter : letter;
    typedAt = event.timeStamp;
    const longer = typed !== letter && find(typed, Math.max(0, now));
    if (!longer) typed = letter;
    (longer || find(letter, now + 1))?.focus();
    return;
  }
  event.preventDefault();
  const next = items[(now + (event.code === 'ArrowDown' ? 1 : -1) + items.length) % items.length];
  next?.focus();
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

/** Draw the numbers beside the views, in the title, on the tab's icon. */
function drawCounters(found) {
  for (const chip of document.querySelectorAll('[data-count]')) {
    const name = chip.getAttribute('data-count') || '';
    if (name in found) { chip.textContent = found[name] >= 1000 ? '999+' : String(found[name]); chip.toggleAttribute('data-zero', !found[name]); }
  }
  const dot = document.getElementById('rail-unread');
  if (dot) { dot.textContent = found.unread > 99 ? '99+' : String(found.unread); dot.hidden = !found.unread; }
  document.title = (found.unread ? '(' + found.unread + ') ' : '') + document.title.replace(/^\(\d+\) /, '');
  const tabIcon = document.querySelector('link[rel="icon"]');
  const wanted = tabIcon?.getAttribute(found.unread ? 'data-dot' : 'data-plain');
  if (tabIcon && wanted && tabIcon.getAttribute('href') !== wanted) tabIcon.setAttribute('href', wanted);
}
async function counters() {
  try {
    const answer = await fetch('/inbox/counters', { headers: { Accept: 'application/json' } });
    if (answer.ok) drawCounters(await answer.json());
  } catch { /* the next change brings them */ }
}
onItems((items) => {
  for (const one of items) {
    if (one.k === 'counters') drawCounters(one.v);
    else if (one.k === 'notice') noticed(one.kind);
    else if (one.k === 'resync') { counters(); countNotices(); }
    else if (one.k === 'banners') fragment('/inbox/banners').then((html) => { const box = document.getElementById('banners'); if (box) box.innerHTML = html; }).catch(() => {});
    else if (one.k === 'session') setTimeout(() => location.reload(), leaving ? 30000 : 0);
  }
});
/** How many notices are new: the number at the bell. */
async function countNotices() {
  const bell = document.getElementById('bell-count');
  if (!bell) return;
  try {
    const answer = await fetch('/notices/count', { headers: { Accept: 'application/json' } });
    if (!answer.ok) return;
    const { unread } = await answer.json();
    bell.textContent = unread > 99 ? '99+' : String(unread);
    for (const dot of document.querySelectorAll('[data-bell]')) /** @type {HTMLElement} */ (dot).hidden = !unread;
    bell.hidden = !unread;
  } catch { /* the next notice brings it */ }
}
async function noticed(kind) {
  countNotices();
  document.dispatchEvent(new CustomEvent('hub:notice', { detail: kind }));
  // The inbox says by itself, and better, who was named where.
  if (kind === 'dialog.mentioned' && location.pathname.startsWith('/inbox')) return;
  const { notifyNotice } = await import('hub/noticed');
  notifyNotice(kind);
}
if (document.getElementById('bell-count')) countNotices();
bind('Shift+W', _('My status'), _('Everywhere'), () => document.getElementById('desk-menu')?.showPopover(), { when: () => Boolean(document.getElementById('desk-menu')) });
bind('G N', _('Go to notices'), _('Everywhere'), () => { location.href = '/notices'; });
// Who never said where he is lives where his browser is; the profile shows it and may change it.
const who = document.querySelector('meta[name="me"]');
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (who?.getAttribute('data-own-zone') === '' && here && here !== who.getAttribute('data-zone')) act('zone', { zone: here }).then(() => location.reload()).catch(() => {});
document.addEventListener('hub:counters', counters);
// Who reads a dialog has seen what notices told him of it.
document.addEventListener('hub:counters', () => { if (document.querySelector('#bell-count:not([hidden])')) countNotices(); });
if (bar) counters();
if (isSecureContext) {
  navigator.serviceWorker?.register('/worker.js').catch(() => {});
  if (self.Notification?.permission === 'granted') import('hub/device').then(({ settled }) => settled());
}

// A group of fields with a button of its own: Enter presses that one, not the first of the whole form.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.isComposing || event.defaultPrevented) return;
  const line = /** @type {HTMLElement} */ (event.target);
  const button = line.matches('input') && line.closest('[data-enter]')?.querySelector('button:not([type="button"])');
  if (!button) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (button).click();
});

// Whoever waits for this page's keys waits for those of its forms too.
if (document.querySelector('main form[method="post"]:not([data-own]) .btn.primary')) await import('hub/forms');
