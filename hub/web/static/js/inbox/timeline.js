// @ts-check
// The entries of an open dialog: putting messages where their instants say, with day lines,
// groups of one author, and without moving the place where somebody reads.
import { _, dayKey, dayName, localise } from 'hub/i18n';
import { element } from 'hub/api';

const CLOSE_MS = 120000;
const instant = (node) => Number(node.getAttribute('data-at')) / 1000;

/** Whether the end is in view. */
export const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 60;

/** The newest message that the server knows. */
export function newest(list) {
  const all = list.querySelectorAll('.msg[data-message]');
  return all.length ? /** @type {HTMLElement} */ (all[all.length - 1]) : null;
}

/** Hide the name where the message before is of the same author and a moment ago. */
function group(node) {
  if (!node?.matches?.('.msg')) return;
  const before = node.previousElementSibling;
  const follows = Boolean(before?.matches('.msg') && before.dataset.kind === node.dataset.kind && before.dataset.author === node.dataset.author && instant(node) - instant(before) < CLOSE_MS);
  node.classList.toggle('follows', follows);
}

function dayLine(at) {
  const line = document.createElement('div');
  line.className = 'sep';
  line.dataset.day = dayKey(at);
  line.dataset.at = String(at * 1000);
  line.textContent = dayName(at);
  return line;
}

/** Put a new entry where its instant says. */
export function insert(list, node) {
  const at = instant(node);
  let after = list.lastElementChild;
  while (after && (after.hasAttribute('data-sketch') || instant(after) > at) && !after.hasAttribute('data-older')) after = after.previousElementSibling;
  if (after) after.after(node); else list.prepend(node);
  const days = [...list.querySelectorAll('[data-day]')].filter((one) => one.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING);
  if (days[days.length - 1]?.getAttribute('data-day') !== dayKey(at)) node.before(dayLine(at));
  group(node);
  if (node.nextElementSibling) group(node.nextElementSibling);
}

/** Replace a message; what was unfolded in it stays so. */
function replace(old, node) {
  for (const kind of ['data-full', 'data-html']) {
    const opened = old.querySelector('details[' + kind + '][open]');
    const fresh = node.querySelector('details[' + kind + ']');
    if (opened && fresh) fresh.replaceWith(opened);
  }
  const files = old.querySelector('.files');
  const fresh = node.querySelector('.files');
  if (files && fresh && files.textContent === fresh.textContent) fresh.replaceWith(files);
  old.replaceWith(node);
  group(node);
}

/** Put a message from the stream or a fragment; gives whether it is new here. */
export function putMessage(list, node) {
  const old = list.querySelector('#m-' + node.dataset.message);
  if (old) { replace(old, node); return false; }
  insert(list, node);
  return true;
}

/** Parse a message that was drawn for everybody. */
export function messageOf(html) { return localise(element(html)); }

/** Bring a list up to date with one that was read afresh; keeps older pages and sketches. */
export function merge(list, fresh) {
  const known = new Set([...list.querySelectorAll('.msg[data-message]')].map((one) => one.id));
  const found = /** @type {HTMLElement[]} */ ([...fresh.querySelectorAll('.msg')]);
  const older = fresh.querySelector('[data-older]');
  if (known.size && (older ? found.length && !found.some((one) => known.has(one.id)) : [...known][0] !== found[0]?.id)) {
    // Nothing in common, or another beginning: too much has happened in between.
    const sketches = list.querySelectorAll('[data-sketch]');
    list.replaceChildren(...fresh.childNodes, ...sketches);
    return;
  }
  const ids = new Set(found.map((one) => one.id));
  const from = found.length ? instant(found[0]) : 0;
  for (const one of list.querySelectorAll('.msg[data-message]')) {
    if (instant(one) >= from && !ids.has(one.id)) one.remove();
  }
  for (const one of found) {
    const old = list.querySelector('#' + one.id);
    if (!old) insert(list, one);
    else if (old.getAttribute('data-status') !== one.dataset.status || old.querySelector('.bubble .text')?.textContent !== one.querySelector('.bubble .text')?.textContent || old.querySelectorAll('.file').length !== one.querySelectorAll('.file').length) replace(old, one);
  }
  for (const line of fresh.querySelectorAll('.hist')) {
    const old = list.querySelector('.hist[data-event="' + line.getAttribute('data-event') + '"]');
    if (!old) insert(list, line);
    else if (!old.querySelector('button') !== !line.querySelector('button')) old.replaceWith(line);
  }
}

/** Put a page of older entries in front; the line of the same day stands once. */
export function prepend(list, sep, fresh) {
  const days = [...fresh.querySelectorAll('[data-day]')];
  const last = days[days.length - 1]?.getAttribute('data-day');
  const first = list.querySelector('[data-day]');
  if (first && first.getAttribute('data-day') === last) first.remove();
  for (const one of fresh.querySelectorAll('.msg')) list.querySelector('#' + one.id)?.remove();
  sep.replaceWith(fresh);
}

/** Draw the line above what came while nobody looked. */
export function unreadLine(list, node) {
  if (list.querySelector('#unread-line')) return;
  const line = document.createElement('div');
  line.className = 'sep unread-line';
  line.id = 'unread-line';
  line.dataset.at = node.dataset.at;
  line.textContent = _('New messages');
  node.before(line);
}
