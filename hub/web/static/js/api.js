// @ts-check
// Requests to the hub: JSON in, JSON out; fragments as HTML; toasts.
import { _ } from 'hub/i18n';

const csrf = () => document.querySelector('meta[name="csrf"]')?.getAttribute('content') || '';

/** What the server refused, with its own words. */
export class Refused extends Error {
  constructor(status, error) {
    super(error?.message || String(status));
    this.status = status;
    this.what = error?.what || error?.code || '';
    this.details = error?.details || null;
    this.field = error?.field || '';
  }
}

/** A page on its way out must not turn back: going elsewhere would overtake the answer to the form that was sent. */
export let leaving = false;
// Afterwards, for whoever hears of it later may still keep the page here.
document.addEventListener('submit', (event) => setTimeout(() => { if (!event.defaultPrevented && /** @type {HTMLFormElement} */ (event.target).method === 'post') leaving = true; }));
function logIn() { if (!leaving) location.href = '/login?next=' + encodeURIComponent(location.pathname); }

/** Carry out one verb. */
export async function act(verb, body) {
  return post('/do/' + verb, body);
}

/** Post JSON; raises Refused, or TypeError when the network is away. */
export async function post(url, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRF-Token': csrf() },
    body: JSON.stringify(body),
  });
  const data = await answer.json().catch(() => ({}));
  if (answer.status === 401) logIn();
  if (answer.status >= 502) throw new TypeError('the hub does not answer');
  if (!answer.ok) throw new Refused(answer.status, data.error);
  return data;
}

/** Upload one file with progress by streaming its bytes. */
export async function upload(dialog, file) {
  const answer = await fetch('/upload/' + dialog + '?name=' + encodeURIComponent(file.name || 'image.png'), {
    method: 'POST',
    headers: { 'Content-Type': file.type || 'application/octet-stream', 'X-CSRF-Token': csrf(), Accept: 'application/json' },
    body: file,
  });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, data.error);
  return data;
}

/** Get a fragment as text. */
export async function fragment(url, signal) {
  const answer = await fetch(url, { headers: { 'X-Fragment': '1', Accept: 'text/html' }, signal });
  if (answer.redirected && new URL(answer.url).pathname === '/login') logIn();
  if (answer.status === 401) logIn();
  if (!answer.ok) throw new Refused(answer.status, { message: answer.status === 404 ? _('This is not there any more.') : answer.status === 403 ? _('You may not see this.') : _('This could not be read.') });
  return answer.text();
}

/** Parse HTML of one root element. */
export function element(html) {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  return /** @type {HTMLElement} */ (template.content.firstElementChild);
}

/** A key that is the same for every try of one act. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, '0')).join('');
}

/** Draw an icon of the sprite. */
export function icon(name) {
  const sprite = document.querySelector('meta[name="me"]')?.getAttribute('data-icons') || '/static/icons.svg';
  const drawn = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  drawn.setAttribute('class', 'icon');
  drawn.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', sprite + '#' + name);
  drawn.append(use);
  return drawn;
}

/** A small label with a cross: a file, a person. */
export function chip(text, what, data = {}) {
  const one = document.createElement('span');
  one.className = 'chip';
  one.append(text);
  const drop = document.createElement('button');
  drop.type = 'button';
  drop.className = 'drop';
  drop.dataset.do = what;
  drop.setAttribute('aria-label', _('Remove') + ' ' + text);
  drop.append(icon('x'));
  Object.assign(one.dataset, data);
  one.append(drop);
  return one;
}

/** Close every menu. */
export function hideMenus() {
  for (const one of document.querySelectorAll('.menu:popover-open')) /** @type {any} */ (one).hidePopover();
}

/** Show a short notice, with an Undo where there is one. */
export function toast(text, undo = null, seconds = undo ? 8 : 6) {
  const box = document.getElementById('toasts');
  if (!box) return () => {};
  const one = document.createElement('div');
  one.className = 'toast';
  const words = document.createElement('span');
  words.textContent = text;
  one.append(words);
  const close = () => one.remove();
  if (undo) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = _('Undo');
    button.addEventListener('click', () => { close(); undo(); });
    one.append(button);
  }
  while (box.children.length > 2) box.firstElementChild?.remove();
  box.append(one);
  setTimeout(close, seconds * 1000);
  return close;
}

/** The buttons of the acts that can be undone, the last one last. */
export const undos = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#toasts button')]);

/** Say what went wrong, in words. */
export function complain(error) {
  if (error instanceof Refused) toast(error.message);
  else toast(_('No connection: nothing was changed.'));
}
