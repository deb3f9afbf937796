// @ts-check
// What rules may say, from the engine's catalogue, and small tools that the editor's parts share.
import { _, language } from 'hub/i18n';

/** @typedef {{name: string, label: string}} Option */
/** @type {any} */
let words = { events: [], fields: [], actions: [], kinds: [], guards: [], cancels: [], each: [], references: {} };
/** @type {Record<string, Map<string, any>>} */
const maps = {};

/** Read the catalogue; what a plugin brings stands in it like all else. */
export async function loadWords() {
  const answer = await fetch('/api/v1/rule-words?language=' + (language === 'ru' ? 'ru' : 'en'), { headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new TypeError('the words of rules could not be read');
  words = await answer.json();
  for (const kind of ['events', 'fields', 'actions', 'kinds']) maps[kind] = new Map(words[kind].map((one) => [one.name, one]));
  for (const [kind, list] of Object.entries(words.listed)) maps['listed.' + kind] = new Map(list.map((one) => [one.name, one]));
}

/** Everything of a sort: events, fields, actions, kinds, guards, cancels, each. */
export const all = (sort) => words[sort];
/** One of a sort by its name; null where no plugin brings it (any more). */
export const one = (sort, name) => maps[sort]?.get(name) || null;
/** Whether a reference is to a kind of object: there are many, so one is found by its name. */
export const isKind = (ref) => Boolean(ref && maps.kinds?.has(ref));
/** What a list of a kind can be filtered by; empty where it cannot be. */
export const listedOf = (kind) => words.listed[kind] || [];
/** What a reference can be chosen from; null where it is no short list. */
export const choicesOf = (ref) => words.references[ref] || null;

const groups = {
  dialog: _('Dialogs'), crm: _('Clients and work'), time: _('Time'), house: _('House'), facts: _('Other facts'),
  message: _('Message'), contact: _('Contact'), event: _('What happened'), work: _('Work'), words: _('Words'), outside: _('Outside'),
};
/** The heading of a group of the catalogue. */
export const groupName = (name) => groups[name] || name;

const operators = {
  equals: _('is'), not_equals: _('is not'), in: _('is one of'), not_in: _('is none of'), empty: _('is empty'), not_empty: _('is not empty'),
  contains: _('contains'), not_contains: _('does not contain'), starts: _('starts with'), matches: _('matches the pattern'), words: _('has the words (in any form)'),
  greater: _('is more than'), less: _('is less than'), between: _('is between'), older_than: _('is more than … ago'),
  within_last: _('is within the last'), within_next: _('is within the next'), changed: _('changed'), changed_to: _('changed to'), changed_from: _('changed from'),
};
const later = { greater: _('is after'), less: _('is before') };
const order = Object.keys(operators);

/** The operators of a field, in the order of their use. */
export function operatorsOf(field) {
  const known = field ? field.operators : [];
  return order.filter((one) => known.includes(one)).map((name) => ({ name, label: (field.type === 'instant' && later[name]) || operators[name] }));
}

/** The operator that a new condition on a field begins with. */
export function firstOperator(field) {
  const wished = { text: 'words', line: 'contains', choice: 'in', set: 'contains', instant: 'within_last', number: field.choices?.length ? 'equals' : 'greater' }[field.type] || 'equals';
  return field.operators.includes(wished) ? wished : operatorsOf(field)[0]?.name || 'equals';
}

export const WITHOUT = ['empty', 'not_empty', 'changed'];
export const LENGTHS = ['older_than', 'within_last', 'within_next'];
export const LISTS = ['in', 'not_in', 'between'];
export const SEVERAL = ['contains', 'not_contains', 'starts', 'words'];

/** The value that an operator begins with. */
export function firstValue(field, operator) {
  if (WITHOUT.includes(operator)) return undefined;
  if (LENGTHS.includes(operator)) return '1d';
  if (field.type === 'flag') return true;
  if (operator === 'between') return ['', ''];
  if (LISTS.includes(operator) || SEVERAL.includes(operator)) return [];
  return '';
}

/** Read values that commas part; a value with a comma stands in quotes. */
export function split(text) {
  return [...text.matchAll(/"([^"]*)"|([^,]+)/g)].map((one) => (one[1] ?? one[2]).trim()).filter(Boolean);
}

/** Write values with commas between them. */
export const join = (list) => list.map((one) => (String(one).includes(',') ? '"' + one + '"' : String(one))).join(', ');

/** Make an element: attributes, `on` handlers, children. */
export function h(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name === 'value') /** @type {any} */ (made).value = value;
    else if (value === true) made.setAttribute(name, '');
    else made.setAttribute(name, String(value));
  }
  made.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

/** Find what has all the words that are looked for. */
export function matching(list, text) {
  const asked = text.toLowerCase().replaceAll('ё', 'е').split(/\s+/).filter(Boolean);
  return list.filter((one) => {
    const said = (one.label + ' ' + (one.group || '') + ' ' + (one.name || '')).toLowerCase().replaceAll('ё', 'е');
    return asked.every((word) => said.includes(word));
  });
}
