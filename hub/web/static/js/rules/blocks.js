// @ts-check
// The parts of a rule as sentences of chips: when, then, how often, its own examples.
import { _ } from 'hub/i18n';
import { icon } from 'hub/api';
import { asGroup, fieldList, groupPart, newCondition, tools } from 'hub/rules/conditions';
import { checkChip, lengthChip, momentChip, numberChip, paramControl, pickChip, selectChip, textChip, valueControl } from 'hub/rules/controls';
import { all, choicesOf, groupName, h, listedOf, one } from 'hub/rules/words';

const word = (text) => h('span', { class: 'rule-word' }, text);

/** The events to choose from; those of people first. */
export function eventList() {
  const list = all('events').map((event) => ({ name: event.name, label: event.label, group: groupName(event.group), icon: 'radio' }));
  return [...list.filter((event) => event.group !== groupName('facts')), ...list.filter((event) => event.group === groupName('facts'))];
}

/** Draw one "when". */
export function whenPart(kit, when, n, count) {
  const path = 'when[' + n + ']';
  const event = one('events', when.event);
  const options = event ? event.options : [];
  const set = (name, value) => kit.edit(() => { if (value === '' || value === false) delete when[name]; else when[name] = value; });
  const put = (name) => kit.change(() => {
    const next = one('events', name);
    for (const key of Object.keys(when)) if (key !== 'event' && !next.options.includes(key)) delete when[key];
    when.event = name;
    if (next.options.includes('after')) when.after ||= '30m';
    if (next.options.includes('field')) Object.assign(when, { field: when.field || 'client.birthday', at: when.at || '10:00' });
    if (next.options.includes('cron')) when.cron ||= '30 8 * * *';
  }, path + '.event');
  return h('li', { 'data-item': path, 'data-path': path },
    h('div', { class: 'rule-row' }, h('div', { class: 'rule-line' },
      n ? word(_('or when')) : null,
      pickChip(path + '.event', _('What happens'), event ? event.label : when.event, eventList, put),
      options.includes('after') && lengthChip(path + '.after', _('How long'), when.after, (value) => set('after', value)),
      options.includes('working') && checkChip(path + '.working', _('in working time'), when.working, (value) => set('working', value)),
      options.includes('field') && datePart(kit, when, path),
      options.includes('cron') && schedulePart(kit, when, path),
      options.includes('zone') && zonePart(kit, when, path)),
      count > 1 && tools(kit, path, event ? event.label : when.event)),
    options.includes('settle') && settlePart(kit, when, path, set),
    when.each && eachPart(kit, when.each, path + '.each'));
}

function settlePart(kit, when, path, set) {
  if (!('settle' in when)) return h('button', { type: 'button', class: 'btn small quiet rule-more', onclick: () => kit.change(() => { when.settle = '1m'; }, path + '.settle') }, icon('clock'), _('Wait until changes settle'));
  return h('div', { class: 'rule-line' }, word(_('once for a burst, when nothing more has come for')), lengthChip(path + '.settle', _('Quiet time'), when.settle, (value) => set('settle', value)),
    h('button', { type: 'button', class: 'btn quiet icon-only', 'aria-label': _('Remove'), onclick: () => kit.change(() => { delete when.settle; }, path + '.event') }, icon('x')));
}

function datePart(kit, when, path) {
  const field = one('fields', when.field);
  const offset = String(when.offset || '0');
  const side = offset.startsWith('-') ? 'before' : offset === '0' ? 'on' : 'after';
  const length = side === 'on' ? '1d' : offset.replace(/^[+-]/, '');
  const put = (to, size) => { if (to === 'on') delete when.offset; else when.offset = (to === 'before' ? '-' : '') + size; };
  return h('span', { class: 'rule-line' },
    pickChip(path + '.field', _('Which date'), field ? field.label : _('choose'), () => fieldList((each) => each.dated), (name) => kit.change(() => { when.field = name; }, path + '.field')),
    selectChip(path + '.offset', _('Before or after'), [{ name: 'on', label: _('on the day') }, { name: 'before', label: _('before it by') }, { name: 'after', label: _('after it by') }], side, (to) => kit.change(() => put(to, length), path + '.offset')),
    side !== 'on' && lengthChip(path + '.offset', _('How long'), length, (value) => kit.edit(() => put(side, value))),
    word(_('at')), textChip(path + '.at', _('Hour'), when.at || '10:00', (value) => kit.edit(() => { when.at = value; }), { type: 'time' }),
    checkChip(path + '.yearly', _('every year'), when.yearly, (value) => kit.edit(() => { if (value) when.yearly = true; else delete when.yearly; })));
}

const RHYTHMS = () => [
  { name: '* * *', label: _('every day') }, { name: '* * 1-5', label: _('Monday to Friday') }, { name: '* * 1', label: _('every Monday') },
  { name: '1 * *', label: _('on the first of a month') }, { name: 'cron', label: _('by a cron line') },
];

function schedulePart(kit, when, path) {
  const found = /^(\d{1,2}) (\d{1,2}) (\* \* \*|\* \* 1-5|\* \* 1|1 \* \*)$/.exec(when.cron || '');
  const at = found && !when.raw ? found[2].padStart(2, '0') + ':' + found[1].padStart(2, '0') : '08:30';
  const rhythm = found ? found[3] : 'cron';
  const write = (clock, days) => { const [hour, minute] = clock.split(':').map(Number); when.cron = (minute || 0) + ' ' + (hour || 0) + ' ' + days; };
  const each = when.each;
  const kinds = [{ name: '', label: _('once') }, ...all('each').map((name) => ({ name, label: one('kinds', name)?.label || { dialog: _('dialog'), user: _('colleague') }[name] || name }))];
  return h('span', { class: 'rule-line' },
    selectChip(path + '.cron', _('How often'), RHYTHMS(), rhythm, (days) => kit.change(() => { if (days === 'cron') when.cron = '0 9 1,15 * *'; else write(at, days); }, path + '.cron')),
    rhythm === 'cron' ? textChip(path + '.cron', _('Cron line'), when.cron, (value) => kit.edit(() => { when.cron = value; }))
      : h('span', { class: 'rule-line' }, word(_('at')), textChip(path + '.cron', _('Hour'), at, (value) => kit.edit(() => write(value, rhythm)), { type: 'time' })),
    word(_('for each')), selectChip(path + '.each.kind', _('For each'), kinds, each ? each.kind : '', (kind) => kit.change(() => { if (kind) when.each = { kind, ...(each?.most ? { most: each.most } : {}) }; else delete when.each; }, path + '.each.kind')),
    each && word(_('at most')), each && numberChip(path + '.each.most', _('At most at a time'), each.most ?? 100, (value) => kit.edit(() => { each.most = value; })));
}

/** Which objects of a schedule's kind are meant. */
function eachPart(kit, each, path) {
  const kind = each.kind;
  if (!listedOf(kind).length) return null;
  if (!each.filter) return h('button', { type: 'button', class: 'btn small quiet rule-more', onclick: () => kit.change(() => { each.filter = { all: [newCondition(undefined, kind)] }; }, path + '.filter.all[0].field') }, icon('filter'), _('Only those of which is true'));
  each.filter = asGroup(each.filter);
  return h('div', { class: 'rule-only', 'data-path': path + '.filter' }, h('div', { class: 'rule-line' }, word(_('only those of which is true')),
    h('button', { type: 'button', class: 'btn quiet icon-only', 'aria-label': _('Without these conditions'), onclick: () => kit.change(() => { delete each.filter; }, path + '.kind') }, icon('x'))),
  groupPart(kit, each.filter, path + '.filter', { root: true, kind }));
}

const zones = () => [{ name: '', label: _('as set for the house') }, ...Intl.supportedValuesOf('timeZone').map((name) => ({ name, label: name.replaceAll('_', ' ') }))];

function zonePart(kit, when, path) {
  return pickChip(path + '.zone', _('Time zone'), when.zone ? when.zone.replaceAll('_', ' ') : _('as set for the house'), zones, (name) => kit.change(() => { if (name) when.zone = name; else delete when.zone; }, path + '.zone'));
}

/** The actions to choose from. */
export function actionList() {
  return all('actions').map((action) => ({ name: action.name, label: action.label, group: groupName(action.group), icon: 'play' }));
}

const CANCELS = () => ({
  client_answers: _('the client answers'), agent_answers: _('a colleague answers'), status_changes: _('the status changes'),
  closed: _('it is closed'), assigned: _('it is assigned'), changed: _('it changes'),
});

/** Draw one step of "then". */
export function stepPart(kit, step, n) {
  const path = 'then[' + n + ']';
  const action = one('actions', step.action);
  const params = (step.params ||= {});
  const put = (name) => kit.change(() => { step.action = name; step.params = {}; }, path + '.action');
  const kind = one('kinds', action?.kind || params.kind || (step.action.endsWith('_lead') ? 'lead' : ''));
  const names = { low: _('low'), normal: _('normal'), high: _('high'), open: _('Open'), waiting: _('Waiting for the client'), evenly: _('evenly'), in_order: _('in turn'), least_busy: _('to the least busy'), owner: _('to whoever is responsible'), last: _('to whoever answered last'), '—': _('as set for the account') };
  const context = { kinds: all('kinds').map((each) => ({ name: each.name, label: each.label })), properties: kind ? kind.properties : [], name: (key) => names[key] || key };
  const schemas = Object.entries(action?.params.properties || {});
  const fill = (name) => (value) => {
    const again = name === 'kind';
    (again ? kit.change : kit.edit)(() => { params[name] = value; }, path + '.params.kind');
  };
  return h('li', { 'data-item': path, 'data-path': path, class: 'rule-step' },
    h('div', { class: 'rule-row' }, h('div', { class: 'rule-line' },
      'wait' in step ? h('span', { class: 'rule-line' }, word(_('after')), lengthChip(path + '.wait', _('Delay'), step.wait, (value) => kit.edit(() => { step.wait = value; })), checkChip(path + '.working', _('in working time'), step.working, (value) => kit.edit(() => { if (value) step.working = true; else delete step.working; }))) : null,
      pickChip(path + '.action', _('What is done'), action ? action.label : step.action, actionList, put)),
      tools(kit, path, action ? action.label : step.action)),
    schemas.length ? h('div', { class: 'rule-params' }, schemas.map(([name, schema]) => paramPart(name, schema, params, path, fill, context))) : null,
    timingPart(kit, step, path));
}

function paramPart(name, schema, params, path, fill, context) {
  const control = paramControl(name, schema, params[name], path + '.params.' + name, fill(name), context);
  if (schema.type === 'boolean') return h('div', { class: 'rule-param' }, control);
  return h('div', { class: 'rule-param' }, h('span', { class: 'rule-label' }, schema.title || name), control);
}

function timingPart(kit, step, path) {
  const told = CANCELS();
  const cancels = new Set(step.cancel_on || []);
  const toggles = h('div', { class: 'rule-line' },
    'wait' in step ? h('button', { type: 'button', class: 'btn small quiet', onclick: () => kit.change(() => { delete step.wait; delete step.working; delete step.cancel_on; }, path + '.action') }, icon('clock'), _('Without delay'))
      : h('button', { type: 'button', class: 'btn small quiet', onclick: () => kit.change(() => { step.wait = '10m'; }, path + '.wait') }, icon('clock'), _('Delay')),
    step.if ? null : h('button', { type: 'button', class: 'btn small quiet', onclick: () => kit.change(() => { step.if = { all: [] }; }, path + '.if.all') }, icon('filter'), _('Only if')),
    step.repeat ? null : h('button', { type: 'button', class: 'btn small quiet', onclick: () => kit.change(() => { step.repeat = { every: '1d', times: 3 }; }, path + '.repeat.every') }, icon('refresh-cw'), _('Repeat')));
  return h('div', { class: 'rule-timing' },
    'wait' in step || step.repeat ? h('div', { class: 'rule-line', role: 'group', 'aria-label': _('Call it off when') }, word(_('call it off when')), all('cancels').map((name) => checkChip(path + '.cancel_on', told[name] || name, cancels.has(name), (on) => kit.edit(() => {
      if (on) cancels.add(name); else cancels.delete(name);
      step.cancel_on = all('cancels').filter((each) => cancels.has(each));
      if (!step.cancel_on.length) delete step.cancel_on;
    }))), checkChip(path + '.recheck', _('look at the conditions again then'), step.recheck !== false, (on) => kit.edit(() => { if (on) delete step.recheck; else step.recheck = false; }))) : null,
    step.repeat ? h('div', { class: 'rule-line' }, word(_('repeat every')), lengthChip(path + '.repeat.every', _('Every'), step.repeat.every, (value) => kit.edit(() => { step.repeat.every = value; })),
      word(_('times')), numberChip(path + '.repeat.times', _('How many times'), step.repeat.times, (value) => kit.edit(() => { step.repeat.times = value; })),
      h('button', { type: 'button', class: 'btn quiet icon-only', 'aria-label': _('Do not repeat'), onclick: () => kit.change(() => { delete step.repeat; }, path + '.action') }, icon('x'))) : null,
    step.if ? h('div', { class: 'rule-only' }, h('div', { class: 'rule-line' }, word(_('only if')), h('button', { type: 'button', class: 'btn quiet icon-only', 'aria-label': _('Without these conditions'), onclick: () => kit.change(() => { delete step.if; }, path + '.action') }, icon('x'))),
      groupPart(kit, (step.if = asGroup(step.if)), path + '.if', { root: true })) : null,
    toggles);
}

const ONCE = () => ({ '': _('as often as it happens'), dialog: _('once per dialog'), object: _('once per object'), contact: _('once per person'), client: _('once per client'), dialog_day: _('once a day per dialog'), contact_day: _('once a day per person') });

/** Draw how often it may run. */
export function guardsPart(kit, rule) {
  const guards = rule.guards || {};
  const set = (name, value) => kit.edit(() => {
    rule.guards ||= {};
    if (value === '' || value === 0) delete rule.guards[name]; else rule.guards[name] = value;
    if (!Object.keys(rule.guards).length) delete rule.guards;
  });
  const once = ONCE();
  return h('div', { class: 'rule-line' },
    selectChip('guards.once_per', _('How often'), ['', ...all('guards')].map((name) => ({ name, label: once[name] || name })), guards.once_per || '', (value) => { set('once_per', value); kit.change(() => {}, 'guards.once_per'); }),
    guards.once_per ? h('span', { class: 'rule-line' }, word(_('again after')), lengthChip('guards.again_after', _('Again after'), guards.again_after, (value) => set('again_after', value))) : null,
    word(_('at most')), numberChip('guards.most_an_hour', _('At most an hour, per person'), guards.most_an_hour || '', (value) => set('most_an_hour', value)), word(_('an hour')),
    numberChip('guards.most_a_day', _('At most a day, per person'), guards.most_a_day || '', (value) => set('most_a_day', value)), word(_('a day, per person')),
    quietPart(kit, rule, guards),
    checkChip('stop', _('stop: rules below do not see this any more'), rule.stop, (value) => kit.edit(() => { rule.stop = value; })));
}

/** Hours of the person's clock in which nothing is said to him. */
function quietPart(kit, rule, guards) {
  const quiet = guards.quiet;
  const put = (value) => kit.change(() => {
    rule.guards ||= {};
    if (value) rule.guards.quiet = value; else delete rule.guards.quiet;
    if (!Object.keys(rule.guards).length) delete rule.guards;
  }, value ? 'guards.quiet.from' : 'guards.once_per');
  if (!quiet) return h('button', { type: 'button', class: 'btn small quiet', onclick: () => put({ from: '21:00', to: '09:00' }) }, icon('clock'), _('Quiet hours'));
  return h('span', { class: 'rule-line' }, word(_('quiet by his clock from')), textChip('guards.quiet.from', _('Quiet from'), quiet.from, (value) => kit.edit(() => { quiet.from = value; }), { type: 'time' }),
    word(_('to')), textChip('guards.quiet.to', _('Quiet to'), quiet.to, (value) => kit.edit(() => { quiet.to = value; }), { type: 'time' }),
    h('button', { type: 'button', class: 'btn quiet icon-only', 'aria-label': _('Without quiet hours'), onclick: () => put(null) }, icon('x')));
}

/** Draw one example: on this case it must, or must not, fire. */
export function examplePart(kit, rule, example, n) {
  const path = 'examples[' + n + ']';
  const values = (example.values ||= {});
  const moments = rule.when.map((when) => ({ name: when.event, label: one('events', when.event)?.label || when.event }));
  return h('li', { 'data-item': path, 'data-path': path },
    h('div', { class: 'rule-row' }, h('div', { class: 'rule-line' },
      textChip(path + '.name', _('Name of the example'), example.name, (value) => kit.edit(() => { if (value) example.name = value; else delete example.name; }), { placeholder: _('name') }),
      moments.length > 1 ? selectChip(path + '.event', _('What happens'), moments, example.event || moments[0].name, (value) => kit.edit(() => { example.event = value; })) : null,
      selectChip(path + '.fires', _('What is right'), [{ name: 'true', label: _('must fire') }, { name: 'false', label: _('must stay silent') }], String(example.fires !== false), (value) => kit.edit(() => { example.fires = value === 'true'; }))),
      tools(kit, path, example.name || _('example'))),
    h('ul', { class: 'rule-parts' }, Object.keys(values).map((name) => h('li', { class: 'rule-line' }, caseValue(name, values, path, kit),
      h('button', { type: 'button', class: 'btn quiet icon-only', 'aria-label': _('Remove'), onclick: () => kit.change(() => { delete values[name]; }, path + '.name') }, icon('x'))))),
    pickChip(path + '.values', _('One more value'), _('Value'), () => [...fieldList(), { name: 'now', label: _('What time it is then'), group: groupName('time'), icon: 'clock' }], (name) => kit.change(() => { values[name] ??= one('fields', name)?.type === 'flag' ? true : ''; }, path + '.values.' + name)));
}

/** A field with the value that a case has. */
export function caseValue(name, values, path, kit) {
  const field = name === 'now' ? { label: _('What time it is then'), type: 'instant' } : one('fields', name);
  const given = values[name];
  const set = (value) => kit.edit(() => { values[name] = value; });
  if (field?.type === 'instant' && typeof given !== 'object') return h('span', { class: 'rule-line' }, word(field.label), momentChip(path + '.values.' + name, _('Value'), given, set));
  if (!field || (given && typeof given === 'object' && !Array.isArray(given))) return h('span', { class: 'rule-line' }, word(field ? field.label : name), h('span', { class: 'mono' }, JSON.stringify(given)));
  const operator = field.type === 'set' ? 'contains' : 'equals';
  const plain = choicesOf(field.ref) && field.type === 'set' ? { ...field, ref: '' } : field;
  return h('span', { class: 'rule-line' }, word(field.label), valueControl(plain, operator, given, path + '.values.' + name, set));
}
