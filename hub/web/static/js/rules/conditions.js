// @ts-check
// "If": groups of conditions within groups; each condition is field, comparison, value.
import { _ } from 'hub/i18n';
import { icon } from 'hub/api';
import { pickChip, place, selectChip, valueControl } from 'hub/rules/controls';
import { all, firstOperator, firstValue, groupName, h, listedOf, one, operatorsOf } from 'hub/rules/words';

const MATCHES = () => [{ name: 'all', label: _('all of these') }, { name: 'any', label: _('any of these') }, { name: 'none', label: _('none of these') }];

/** Give a tree whose root is a group. */
export function asGroup(tree) {
  if (!tree || !Object.keys(tree).length) return { all: [] };
  return 'field' in tree ? { all: [tree] } : tree;
}

/** How a group joins its parts. */
export const matchOf = (group) => Object.keys(group)[0];

/** Every field that conditions can ask for, for the list to choose from. */
export function fieldList(only = (field) => Boolean(field), list = all('fields')) {
  return list.filter(only).map((field) => ({ name: field.name, label: field.label, group: groupName(field.group), icon: 'filter' }));
}

/** A new condition. */
export function newCondition(name = 'message.text', kind = '') {
  const field = one(kind ? 'listed.' + kind : 'fields', name) || (kind ? listedOf(kind) : all('fields'))[0];
  const operator = firstOperator(field);
  const value = firstValue(field, operator);
  return value === undefined ? { field: field.name, operator } : { field: field.name, operator, value };
}

/** The buttons of one item; the keys do the same. */
export function tools(kit, path, name, moves = true) {
  const button = (what, symbol, label) => h('button', { type: 'button', class: 'btn quiet icon-only', 'data-tool': what, 'aria-label': label + ': ' + name, title: label, onclick: () => kit.tool(what, path) }, icon(symbol));
  return h('span', { class: 'rule-tools' },
    moves && button('up', 'chevron-up', _('Up')), moves && button('down', 'chevron-down', _('Down')),
    moves && button('copy', 'copy', _('Duplicate')), button('remove', 'x', _('Remove')));
}

/** Draw a group with its parts; with a `kind` they filter its list instead of judging an event. */
export function groupPart(kit, group, path, { root = false, nested = 0, kind = '' } = {}) {
  const match = matchOf(group);
  const parts = group[match];
  const rename = (to) => kit.change(() => { delete group[match]; group[to] = parts; }, path + '.' + to);
  const inside = path + '.' + match;
  const add = (part, focus) => kit.change(() => parts.push(part), focus(inside + '[' + parts.length + ']'));
  return h('div', { class: 'rule-group', role: 'group', 'aria-label': _('Conditions') },
    h('div', { class: 'rule-row' }, selectChip(inside, _('How these conditions are joined'), MATCHES(), match, rename), !root && tools(kit, path, _('group'))),
    h('ul', { class: 'rule-parts' }, parts.map((part, n) => {
      const here = inside + '[' + n + ']';
      return h('li', { 'data-item': here, 'data-path': here },
        'field' in part ? conditionPart(kit, part, here, kind) : groupPart(kit, part, here, { nested: nested + 1, kind }));
    })),
    h('div', { class: 'rule-line' },
      h('button', { type: 'button', class: 'btn small quiet', 'data-add': 'condition', onclick: () => add(newCondition(undefined, kind), (at) => at + '.field') }, icon('plus'), _('Condition')),
      nested < 6 && h('button', { type: 'button', class: 'btn small quiet', onclick: () => add({ any: [newCondition(undefined, kind)] }, (at) => at + '.any') }, icon('plus'), _('Group'))));
}

function conditionPart(kit, part, path, kind) {
  const field = one(kind ? 'listed.' + kind : 'fields', part.field);
  const put = (name) => kit.change(() => {
    const made = newCondition(name, kind);
    for (const key of Object.keys(part)) delete part[key];
    Object.assign(part, made);
  }, path + '.operator');
  const compare = (name) => kit.change(() => {
    part.operator = name;
    const value = firstValue(field, name);
    if (value === undefined) delete part.value;
    else if (!('value' in part) || Array.isArray(value) !== Array.isArray(part.value) || (field.type !== 'number' && typeof value !== typeof part.value)) part.value = value;
  }, path + '.value');
  return h('div', { class: 'rule-row' }, h('div', { class: 'rule-line' },
    pickChip(path + '.field', _('What is asked'), field ? field.label : part.field, () => fieldList(undefined, kind ? listedOf(kind) : undefined), put),
    field ? selectChip(path + '.operator', _('How it is compared'), operatorsOf(field), part.operator, compare) : place(path + '.operator', String(part.operator || '')),
    field ? valueControl(field, part.operator, part.value, path + '.value', (value) => kit.edit(() => { part.value = value; })) : null),
    tools(kit, path, field ? field.label : part.field));
}
