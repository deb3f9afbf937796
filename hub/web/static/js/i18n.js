// @ts-check
// Texts of the modules in the page's language (the source language is English), and times in the
// reader's own zone: what the stream brings was drawn once for everybody.
export const language = document.documentElement.lang || 'en';
const zoneName = document.querySelector('meta[name="me"]')?.getAttribute('data-zone') || 'UTC';
/** @type {Record<string, string>} */
let texts = {};
/** @type {Promise<void> | null} */
let loading = null;

/** Load the texts; called once before anything is drawn. */
export function loadTexts() {
  loading ||= load();
  return loading;
}

async function load() {
  if (language === 'en') return;
  const address = document.querySelector('meta[name="texts"]')?.getAttribute('content') || '/texts/' + language + '.json';
  try {
    const answer = await fetch(address);
    if (answer.ok) texts = await answer.json();
  } catch { /* English is better than nothing */ }
}

/** Translate a text; `{name}` is filled from `values`. */
export function _(text, values = {}) {
  let found = texts[text] || text;
  for (const [name, value] of Object.entries(values)) found = found.replaceAll('{' + name + '}', String(value));
  return found;
}

/** A short duration: 5 min, 3 h, 2 d. */
export function duration(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60000));
  const [unit, value] = minutes < 60 ? ['minute', minutes] : minutes < 2880 ? ['hour', Math.floor(minutes / 60)] : ['day', Math.floor(minutes / 1440)];
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'narrow' }).format(/** @type {number} */ (value));
}

/** @returns {Intl.DateTimeFormat} */
function format(options) {
  try { return new Intl.DateTimeFormat(language, { timeZone: zoneName, ...options }); } catch { return new Intl.DateTimeFormat(language, options); }
}
// As the hub writes it: digits stand under each other in both languages.
const clock = format({ timeStyle: 'short' });
const shortDay = format({ day: 'numeric', month: 'short' });
const date = format({ dateStyle: 'short' });
const longDay = format({ weekday: 'long', day: 'numeric', month: 'long' });
const full = format({ day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' });
let keyed;
try { keyed = new Intl.DateTimeFormat('en-CA', { timeZone: zoneName, dateStyle: 'short' }); } catch { keyed = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short' }); }

/** The reader's day of an instant, as `2026-11-23`. */
export function dayKey(at) { return keyed.format(at); }

const walled = new Intl.DateTimeFormat('en-CA', { ...(zoneKnown() ? { timeZone: zoneName } : {}), hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
function zoneKnown() { try { new Intl.DateTimeFormat('en', { timeZone: zoneName }); return true; } catch { return false; } }

/** What the reader's clock shows at an instant: year, month, day, hour, minute, second. */
export function wallOf(at) {
  const parts = Object.fromEntries(walled.formatToParts(at).map((one) => [one.type, Number(one.value)]));
  return [parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second];
}

/** The instant at which the reader's clock shows this; days beyond a month's end run on. */
export function fromWall(year, month, day, hour, minute) {
  const wanted = Date.UTC(year, month - 1, day, hour, minute);
  let at = wanted;
  // Twice: the first guess may lie on the other side of a change of the clocks.
  for (let n = 0; n < 2; n += 1) {
    const [y, mo, d, h, mi, s] = wallOf(at);
    at += wanted - Date.UTC(y, mo - 1, d, h, mi, s);
  }
  return at;
}

/** Today, yesterday, or the day's name. */
export function dayName(at) {
  const key = dayKey(at);
  if (key === dayKey(Date.now())) return _('Today');
  if (key === dayKey(Date.now() - 86400e3)) return _('Yesterday');
  return longDay.format(at);
}

/** The short form of lists: the time today, day and time of what is soon, the day this year, else the date. */
export function when(at) {
  const key = dayKey(at);
  const today = dayKey(Date.now());
  if (key === today) return clock.format(at);
  const day = (key.slice(0, 4) === today.slice(0, 4) ? shortDay : date).format(at);
  const ahead = (Date.parse(key) - Date.parse(today)) / 86400e3;
  return ahead > 0 && ahead <= 7 ? `${day}, ${clock.format(at)}` : day;
}

/** When something will be: with the weekday, for menus. */
export function upcoming(at) {
  return (dayKey(at) === dayKey(Date.now()) ? '' : format({ weekday: 'short' }).format(at) + ', ') + clock.format(at);
}

/** Put the times inside a node into the reader's zone. */
export function localise(node) {
  for (const one of node.querySelectorAll('time[data-t]')) {
    const at = Date.parse(one.getAttribute('datetime') || '');
    if (Number.isNaN(at)) continue;
    one.textContent = one.getAttribute('data-t') === 'clock' ? clock.format(at) : when(at);
    one.setAttribute('title', full.format(at));
  }
  return node;
}
