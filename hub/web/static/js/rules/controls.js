// @ts-check
// The chips of the rule editor: each is a native control or a button that opens a list, and each
// knows the place in the rule that it is about (`data-path`), where objections are shown.
import { _ } from 'hub/i18n';
import { icon } from 'hub/api';
import { choose } from 'hub/sheet';
import { LENGTHS, LISTS, SEVERAL, WITHOUT, choicesOf, h, isKind, join, matching, split } from 'hub/rules/words';

/** Put a control where objections to its place are shown. */
export const place = (path, ...children) => h('span', { class: 'ctl', 'data-path': path }, ...children);

/** A chip that opens a list to search in. */
export function pickChip(path, title, shown, list, set) {
  const open = async () => {
    const found = await choose(title, _('Type to find'), (text, done) => done(matching(list(), text)));
    if (found) set(found.name);
  };
  return place(path, h('button', { type: 'button', class: 'rule-chip', 'aria-haspopup': 'dialog', 'aria-label': title + ': ' + shown, onclick: open }, shown, icon('chevron-down')));
}

/** A short list. */
export function selectChip(path, label, options, value, set) {
  const known = options.some((one) => one.name === String(value ?? ''));
  const list = known ? options : [{ name: String(value ?? ''), label: value === '' || value === undefined || value === null ? _('choose') : String(value) }, ...options];
  const box = h('select', { class: 'rule-chip', 'aria-label': label, onchange: (event) => set(event.target.value) },
    list.map((one) => h('option', { value: one.name, selected: one.name === String(value ?? '') }, one.label)));
  return place(path, box);
}

/** One line, or several, of text. */
export function textChip(path, label, value, set, more = {}) {
  const { lines, ...rest } = more;
  const given = { class: 'rule-chip', 'aria-label': label, value: value ?? '', oninput: (event) => set(event.target.value), ...rest };
  return place(path, lines ? h('textarea', { ...given, rows: 3 }) : h('input', { type: 'text', ...given }));
}

/** A whole number or, for money, one with two digits behind the point. */
export function numberChip(path, label, value, set, more = {}) {
  const { money, ...rest } = more;
  const shown = typeof value === 'number' ? (money ? value / 100 : value) : value ?? '';
  const give = (event) => {
    const text = event.target.value.trim();
    const read = Number(text.replace(',', '.'));
    set(text === '' ? '' : Number.isNaN(read) ? text : money ? Math.round(read * 100) : read);
  };
  return place(path, h('input', { type: 'text', inputmode: 'decimal', class: 'rule-chip number', 'aria-label': label, value: shown, oninput: give, ...rest }));
}

/** Yes or no, with its words beside it. */
export function checkChip(path, label, value, set) {
  return place(path, h('label', { class: 'rule-check' }, h('input', { type: 'checkbox', ...(value ? { checked: true } : {}), onchange: (event) => set(event.target.checked) }), h('span', {}, label)));
}

const UNITS = () => [{ name: 's', label: _('seconds') }, { name: 'm', label: _('minutes') }, { name: 'h', label: _('hours') }, { name: 'd', label: _('days') }, { name: 'w', label: _('weeks') }];

/** A length of time: how many of what. */
export function lengthChip(path, label, value, set) {
  const read = /^([0-9]*)([smhdw])$/.exec(String(value || '')) || ['', '', 'm'];
  let [, count, unit] = read;
  const give = () => set(count ? count + unit : '');
  const box = h('input', { type: 'text', inputmode: 'numeric', class: 'rule-chip number', 'aria-label': label, value: count, oninput: (event) => { count = event.target.value.trim(); give(); } });
  const units = h('select', { class: 'rule-chip', 'aria-label': label + ', ' + _('unit'), onchange: (event) => { unit = event.target.value; give(); } },
    UNITS().map((one) => h('option', { value: one.name, selected: one.name === unit }, one.label)));
  return place(path, box, units);
}

/** Several values: of a short list to tick, or typed with commas. */
export function listChip(path, label, options, value, set) {
  const given = Array.isArray(value) ? value.map(String) : value === undefined || value === '' ? [] : [String(value)];
  if (!options) {
    return textChip(path, label, join(given), (text) => set(split(text)), { class: 'rule-chip words', placeholder: _('words, with commas between') });
  }
  const chosen = new Set(given);
  const known = new Set(options.map((one) => one.name));
  const list = [...options, ...given.filter((one) => !known.has(one)).map((one) => ({ name: one, label: one }))];
  const body = h('span', { class: 'rule-ticks', role: 'group', 'aria-label': label },
    list.map((one) => h('label', { class: 'rule-check' }, h('input', {
      type: 'checkbox', value: one.name, ...(chosen.has(one.name) ? { checked: true } : {}),
      onchange: (event) => { if (event.target.checked) chosen.add(one.name); else chosen.delete(one.name); set(list.map((each) => each.name).filter((name) => chosen.has(name))); },
    }), h('span', {}, one.label))));
  return place(path, body);
}

/** A day with its hour by the clock of whoever writes it, kept with its zone. */
export function momentChip(path, label, value, set) {
  const at = value ? new Date(/^\d+$/.test(String(value)) ? Number(value) / 1000 : value) : null;
  const local = at && !Number.isNaN(at.getTime()) ? new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16) : '';
  return textChip(path, label, local, (given) => set(given ? new Date(given).toISOString().replace('.000Z', 'Z') : ''), { type: 'datetime-local' });
}

const FOUND = new Map();

/** Find objects of a kind of which there are many. */
async function find(kind, text) {
  const answer = await fetch('/objects/' + kind + '/find?q=' + encodeURIComponent(text), { headers: { Accept: 'application/json' } });
  if (!answer.ok) return [];
  const found = await answer.json();
  for (const one of found) FOUND.set(kind + one.id, one.name);
  return found.map((one) => ({ name: one.id, label: one.name, group: one.hint }));
}

/** One object of many, or several: chips with their names, found as one types. */
export function findChip(path, label, kind, value, set, several = false) {
  const chosen = (Array.isArray(value) ? value : value ? [value] : []).map(String);
  const body = h('span', { class: 'rule-line', role: 'group', 'aria-label': label });
  const give = () => { set(several ? [...chosen] : chosen[0] || ''); draw(); };
  const open = async () => {
    const one = await choose(label, _('Type to find'), (text, done) => find(kind, text).then(done));
    if (!one) return;
    if (!several) chosen.length = 0;
    if (!chosen.includes(one.name)) chosen.push(one.name);
    give();
    body.querySelector('button')?.focus();
  };
  const draw = () => body.replaceChildren(
    ...chosen.map((id, n) => h('span', { class: 'chip' }, FOUND.get(kind + id) || '№ ' + id, h('button', { type: 'button', class: 'btn quiet icon-only', 'aria-label': _('Remove') + ': ' + (FOUND.get(kind + id) || id), onclick: () => { chosen.splice(n, 1); give(); } }, icon('x')))),
    several || !chosen.length ? h('button', { type: 'button', class: 'rule-chip', 'aria-haspopup': 'dialog', 'aria-label': label, onclick: open }, _('choose'), icon('chevron-down')) : '');
  draw();
  // What was chosen before is named as soon as its names are known.
  const unnamed = chosen.filter((id) => !FOUND.has(kind + id));
  if (unnamed.length) Promise.all(unnamed.map((id) => named(kind, id))).then(draw);
  return place(path, body);
}

async function named(kind, id) {
  const answer = await fetch('/objects/' + kind + '/find?id=' + encodeURIComponent(id), { headers: { Accept: 'application/json' } });
  const found = answer.ok ? await answer.json() : [];
  FOUND.set(kind + id, found[0]?.name || '№ ' + id);
}

const yesNo = () => [{ name: 'true', label: _('yes') }, { name: 'false', label: _('no') }];

/** The value of a condition, by the field's type and the operator. */
export function valueControl(field, operator, value, path, set) {
  const label = _('Value');
  if (WITHOUT.includes(operator)) return null;
  if (LENGTHS.includes(operator)) return lengthChip(path, label, value, set);
  const options = field.choices?.length ? field.choices : choicesOf(field.ref);
  if (operator === 'between') {
    const pair = Array.isArray(value) ? [...value] : ['', ''];
    const one = (n) => single(field, options, pair[n], path + '[' + n + ']', n ? _('to') : _('from'), (given) => { pair[n] = given; set([...pair]); });
    return h('span', { class: 'rule-pair' }, one(0), h('span', { class: 'rule-word' }, _('to')), one(1));
  }
  if (field.type === 'flag') return selectChip(path, label, yesNo(), String(value), (given) => set(given === 'true'));
  if (field.type === 'ref' && !options && isKind(field.ref)) return findChip(path, label, field.ref, value, set, LISTS.includes(operator));
  if (field.type === 'number' && LISTS.includes(operator)) return numbersChip(field, options, value, path, label, set);
  if (LISTS.includes(operator) || SEVERAL.includes(operator)) return listChip(path, label, options, value, set);
  return single(field, options, value, path, label, set);
}

/** What is read as a number is kept as one; the rest is objected to where it stands. */
const number = (text, times = 1) => (text === '' || Number.isNaN(Number(text)) ? text : times === 1 ? Number(text) : Math.round(Number(text) * times));

/** Several numbers; each of money has two digits behind the point. */
function numbersChip(field, options, value, path, label, set) {
  const times = field.money ? 100 : 1;
  const shown = (Array.isArray(value) ? value : []).map((one) => (typeof one === 'number' ? one / times : one));
  return listChip(path, label, options, shown, (given) => set(given.map((one) => number(one, times))));
}

function single(field, options, value, path, label, set) {
  // The steps of a number have names.
  if (options) return selectChip(path, label, options, value, field.type === 'number' ? (given) => set(number(given)) : set);
  if (field.type === 'number') return numberChip(path, label, value, set, { money: field.money });
  if (field.type === 'instant') {
    return textChip(path, label, String(value || '').slice(0, 10), (given) => set(given ? given + 'T00:00:00Z' : ''), { type: 'date' });
  }
  return textChip(path, label, value, set);
}

/** The values that a pattern of alternatives allows: `^(low|normal|high)$`. */
function alternatives(pattern) {
  const found = /^\^\(([\w|]+)\)\$$/.exec(pattern || '');
  return found ? found[1].split('|').map((name) => ({ name, label: name || '—' })) : null;
}

/** One parameter of an action, by its schema. */
export function paramControl(name, schema, value, path, set, context) {
  const label = schema.title || name;
  const options = choicesOf(schema.ref);
  const start = value === undefined ? schema.default : value;
  if (schema.type === 'array') return listChip(path, label, options, start, set);
  if (schema.type === 'boolean') return checkChip(path, label, start, set);
  if (schema.choices) return selectChip(path, label, schema.choices, start, (given) => set(schema.type === 'integer' ? Number(given) : given));
  if (schema.type === 'integer' || schema.type === 'number') return numberChip(path, label, start, set);
  if (schema.type === 'object') return pairs(path, label, start || {}, set, context);
  if (options) return selectChip(path, label, [{ name: '', label: _('not chosen') }, ...options], start, set);
  if (name === 'kind' && !alternatives(schema.pattern)) return selectChip(path, label, context.kinds, start, set);
  const several = alternatives(schema.pattern);
  if (several) return selectChip(path, label, several.map((one) => ({ ...one, label: context.name(one.label) })), start, set);
  return textChip(path, label, start, set, { lines: schema.multiline || (schema.maxLength || 0) > 1000 });
}

/** Properties with their values: a line each. */
function pairs(path, label, value, set, context) {
  const rows = Object.entries(value);
  const give = () => { set(Object.fromEntries(rows.filter(([name]) => name))); };
  const body = h('span', { class: 'rule-pairs', role: 'group', 'aria-label': label });
  const draw = () => {
    body.replaceChildren(...rows.map((row, n) => {
      const property = context.properties.find((one) => one.name === row[0]);
      const options = property?.choices?.length ? property.choices : choicesOf(property?.ref);
      const known = [{ name: '', label: _('choose a property') }, ...context.properties];
      return h('span', { class: 'rule-line' },
        selectChip(path, _('Property'), known, row[0], (given) => { row[0] = given; row[1] = ''; give(); draw(); }),
        options ? selectChip(path + '.' + row[0], _('Value'), options, row[1], (given) => { row[1] = given; give(); })
          : textChip(path + '.' + row[0], _('Value'), Array.isArray(row[1]) ? join(row[1]) : row[1], (given) => { row[1] = property?.type === 'tags' ? split(given) : property?.type === 'flag' ? given === 'true' : given; give(); }),
        h('button', { type: 'button', class: 'btn quiet icon-only', 'aria-label': _('Remove'), onclick: () => { rows.splice(n, 1); give(); draw(); } }, icon('x')));
    }), h('button', { type: 'button', class: 'btn small quiet', onclick: () => { rows.push(['', '']); draw(); body.querySelectorAll('select')[rows.length - 1]?.focus(); } }, icon('plus'), _('Property')));
  };
  draw();
  return place(path, body);
}
