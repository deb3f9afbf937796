// @ts-check
// The card of the chosen row beside its list, with what its person said; on a narrow screen the card is a page.
import { _ } from 'hub/i18n';
import { complain, element, fragment, icon } from 'hub/api';
import { bind } from 'hub/keys';

const WIDE = matchMedia('(min-width: 1100px)');
const GROUP = _('Lists');
/** Whose card stands open, and which way it was asked for last. */
let open = '';
let asked = 0;
let touched = false;

const rows = () => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-rows] tbody tr[data-id]'))];
const cursor = () => /** @type {HTMLElement | null} */ (document.querySelector('[data-rows] tr.cursor'));
const linkOf = (row) => /** @type {HTMLAnchorElement | null} */ (row?.querySelector('td.first a') || null);
const panel = () => document.getElementById('beside');
const pathOf = (id) => document.querySelector('[data-objects]')?.getAttribute('data-path') + '/' + id;

/** The address says which card stands open, so that a copied one shows it too. */
function tell() {
  const url = new URL(location.href);
  if (open) url.searchParams.set('open', open); else url.searchParams.delete('open');
  history.replaceState(history.state, '', url);
}

/** Whether what was typed into the card may go. */
function mayGo() { return !touched || confirm(_('What was changed on the card is not saved. Leave it?')); }

/** A card is drawn into a page that has fields of its own: no two things have one id. */
function apart(card) {
  for (const one of card.querySelectorAll('[id]')) {
    if (!document.getElementById(one.id)) continue;
    const id = 'beside-' + one.id;
    for (const name of ['for', 'list', 'aria-describedby', 'aria-errormessage', 'aria-controls', 'aria-labelledby']) {
      for (const each of card.querySelectorAll('[' + name + '="' + CSS.escape(one.id) + '"]')) each.setAttribute(name, id);
    }
    for (const each of card.querySelectorAll('a[href="#' + CSS.escape(one.id) + '"]')) each.setAttribute('href', '#' + id);
    one.id = id;
  }
}

/** Show what the person of the card said, of all channels. */
async function said(card) {
  const dialog = card.querySelector('a[href^="/inbox/"]')?.getAttribute('href')?.match(/\d+/)?.[0];
  if (!dialog) return;
  try {
    const stream = element(await fragment('/inbox/dialog/' + dialog + '/person'));
    if (!card.isConnected) return;
    const box = document.createElement('section');
    box.className = 'box timeline';
    const head = document.createElement('h2');
    head.textContent = _('Dialog');
    for (const one of stream.querySelectorAll('p.center')) one.remove();
    box.append(head, stream);
    card.querySelector('dl.lines')?.after(box);
    stream.scrollTop = stream.scrollHeight;
  } catch { /* who may not read the dialog sees the card */ }
}

/** Draw a card out of its page; gives whether there was one. */
function draw(html, path) {
  const card = new DOMParser().parseFromString(html, 'text/html').querySelector('[data-object]');
  if (!card) return false;
  let place = panel();
  if (!place) {
    place = document.createElement('aside');
    place.id = 'beside';
    place.className = 'beside';
    place.addEventListener('input', (event) => { if (!/** @type {HTMLElement} */ (event.target).closest('[data-quick]')) touched = true; });
    place.addEventListener('submit', send);
    document.querySelector('.page')?.append(place);
  }
  const unfolded = [...place.querySelectorAll('details[id][open]')].map((one) => one.id);
  place.replaceChildren();
  apart(card);
  const page = document.createElement('a');
  page.className = 'btn quiet icon-only';
  page.href = path;
  page.title = _('Open the card');
  page.setAttribute('aria-label', page.title);
  page.append(icon('external-link'));
  const shut = document.createElement('button');
  shut.className = 'btn quiet icon-only';
  shut.type = 'button';
  shut.title = _('Close') + ' (Esc)';
  shut.setAttribute('aria-label', _('Close'));
  shut.append(icon('x'));
  shut.addEventListener('click', () => close());
  const head = card.querySelector('.page-head');
  head?.querySelector('a.icon-only')?.remove();
  head?.querySelector('h1')?.after(page, shut);
  place.setAttribute('aria-label', head?.querySelector('h1')?.textContent?.trim() || '');
  place.append(card);
  for (const one of place.querySelectorAll('details[id]')) if (unfolded.includes(one.id)) /** @type {HTMLDetailsElement} */ (one).open = true;
  touched = false;
  if (card.querySelector('[data-pick]')) import('hub/pick');
  if (card.querySelector('[data-quick]')) import('hub/day');
  said(card);
  return true;
}

async function show(id) {
  if (id !== open && !mayGo()) return;
  touched = false;
  open = id;
  const mine = ++asked;
  const path = pathOf(id);
  tell();
  try {
    const html = await fragment(path);
    if (mine !== asked) return;
    const other = panel()?.querySelector('[data-object]')?.getAttribute('data-id') !== id;
    if (!draw(html, path)) { location.href = path; return; }
    if (other) /** @type {HTMLElement} */ (panel()).scrollTop = 0;
  } catch (error) { if (mine === asked) { close(); complain(error); } }
}

function close() {
  if (!mayGo()) return;
  touched = false;
  asked++;
  open = '';
  panel()?.remove();
  tell();
  linkOf(cursor())?.focus({ preventScroll: true });
}

/** A form of the card is sent from here, and the card drawn as it answers. */
async function send(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || form.method !== 'post') return;
  event.preventDefault();
  const id = open;
  const given = new FormData(form, event.submitter);
  try {
    const answer = await fetch(form.action, { method: 'POST', headers: { Accept: 'text/html' }, body: form.enctype.startsWith('multipart') ? given : new URLSearchParams(/** @type {any} */ (given)) });
    if (open !== id) return;
    if (!draw(await answer.text(), pathOf(id))) location.href = answer.url;
    else if (answer.ok) document.dispatchEvent(new CustomEvent('hub:refresh'));
  } catch (error) { complain(error); }
}

document.addEventListener('click', (event) => {
  const link = /** @type {HTMLElement} */ (event.target).closest('[data-rows] td.first a.person');
  const row = /** @type {HTMLElement | null} */ (link?.closest('tr[data-id]') || null);
  // The same row once more opens its page; so does every click that asks for a tab of its own.
  if (!row || !WIDE.matches || row.dataset.id === open || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  cursor()?.classList.remove('cursor');
  row.classList.add('cursor');
  show(row.dataset.id || '');
});
document.addEventListener('hub:cursor', () => { const id = cursor()?.dataset.id; if (open && id && id !== open) show(id); });
// What changed meanwhile is drawn, but never under the hands of a writer.
document.addEventListener('hub:refreshed', () => { if (open && !touched && !panel()?.contains(document.activeElement)) show(open); });
WIDE.addEventListener('change', () => { if (open && !WIDE.matches) close(); });

bind('Esc', _('Close the card beside'), GROUP, () => {
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  if (active?.matches('input, textarea, select') && panel()?.contains(active)) linkOf(cursor())?.focus({ preventScroll: true });
  else close();
}, { when: () => Boolean(open) });
bind(']', _('The card beside the list'), GROUP, () => { if (open) close(); else show(cursor()?.dataset.id || ''); }, { when: () => Boolean(open) || (WIDE.matches && !!cursor()) });

const wanted = new URLSearchParams(location.search).get('open') || '';
if (/^\d+$/.test(wanted) && WIDE.matches) {
  rows().find((one) => one.dataset.id === wanted)?.classList.add('cursor');
  show(wanted);
}
