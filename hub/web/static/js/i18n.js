// @ts-check
// Texts of the modules in the page's language; the source language is English.
const language = document.documentElement.lang || 'en';
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
  try {
    const answer = await fetch('/texts/' + language + '.json');
    if (answer.ok) texts = await answer.json();
  } catch { /* English is better than nothing */ }
}

/** Translate a text; `{name}` is filled from `values`. */
export function _(text, values = {}) {
  let found = texts[text] || text;
  for (const [name, value] of Object.entries(values)) found = found.replaceAll('{' + name + '}', String(value));
  return found;
}

const rtf = new Intl.RelativeTimeFormat(language, { style: 'narrow', numeric: 'always' });
const units = new Intl.NumberFormat(language);

/** A short duration: 5 min, 3 h, 2 d. */
export function duration(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60000));
  if (minutes < 60) return new Intl.NumberFormat(language, { style: 'unit', unit: 'minute', unitDisplay: 'narrow' }).format(minutes);
  if (minutes < 2880) return new Intl.NumberFormat(language, { style: 'unit', unit: 'hour', unitDisplay: 'narrow' }).format(Math.floor(minutes / 60));
  return new Intl.NumberFormat(language, { style: 'unit', unit: 'day', unitDisplay: 'narrow' }).format(Math.floor(minutes / 1440));
}

export { language, rtf, units };
