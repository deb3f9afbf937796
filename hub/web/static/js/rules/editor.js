// @ts-check
// The rule editor: when, if, then as sentences of chips over the rule's JSON; the advanced tab is
// the same JSON as text. Every change is checked by the engine, which names the place it means.
import { _ } from 'hub/i18n';
import { Refused, complain, icon, post, toast } from 'hub/api';
import { openSheet } from 'hub/sheet';
import { eventList, examplePart, guardsPart, stepPart, whenPart } from 'hub/rules/blocks';
import { asGroup, groupPart, newCondition } from 'hub/rules/conditions';
import { textChip } from 'hub/rules/controls';
import { h } from 'hub/rules/words';

const copy = (value) => JSON.parse(JSON.stringify(value));
const FOCUSABLE = 'button:not([data-tool]):not([disabled]), input, select, textarea';

/** Make the editor inside of a node; `data` is the rule as the page gave it. */
export function makeEditor(root, data) {
  /** @type {any} */
  let rule = { ...copy(data.definition), if: asGroup(copy(data.definition.if ?? {})) };
  const kept = () => JSON.stringify(cleaned());
  const text = /** @type {HTMLTextAreaElement} */ (document.getElementById('f-definition'));
  const body = h('div', { class: 'rule-flow' });
  const state = h('p', { class: 'muted small grow', role: 'status' });
  const doubts = h('div', { class: 'rule-doubts' });
  let wrong = [];
  let timer = 0;
  let asked = 0;
  let saving = false;
  const keepOff = h('button', { type: 'button', class: 'btn', hidden: true, onclick: () => save('ask', true) }, _('Keep it switched off'));

  /** The rule without what is empty. */
  function cleaned() {
    const found = copy(rule);
    if (found.if?.all && !found.if.all.length) delete found.if;
    for (const step of found.then) {
      if (step.if?.all && !step.if.all.length) delete step.if;
      if (step.params && !Object.keys(step.params).length) delete step.params;
    }
    if (!found.stop) delete found.stop;
    if (!(found.examples || []).length) delete found.examples;
    return found;
  }

  const kit = { edit, change, tool };

  /** A value was changed: the picture stays as it is. */
  function edit(how) { how(); later(); }

  /** The form of the rule was changed: it is drawn anew, and the focus goes to a place. */
  function change(how, focus = '') { how(); wrong = []; draw(); if (focus) focusOn(focus); later(); }

  function focusOn(path) {
    const found = /** @type {HTMLElement | null} */ (body.querySelector('[data-path="' + path + '"]'));
    /** @type {HTMLElement | null} */ (found?.matches(FOCUSABLE) ? found : found?.querySelector(FOCUSABLE))?.focus();
  }

  /** The list in which an item stands, with its number. */
  function listOf(path) {
    const found = /^(.*)\[(\d+)\]$/.exec(path);
    if (!found) return null;
    let list = rule;
    for (const part of found[1].split(/[.[\]]+/).filter(Boolean)) list = list?.[/^\d+$/.test(part) ? Number(part) : part];
    return Array.isArray(list) ? { list, n: Number(found[2]), stem: found[1] } : null;
  }

  /** Move, copy or remove an item. */
  function tool(what, path) {
    // The root group of a step is no item; its step is.
    const found = listOf(path) || listOf(path.replace(/\.[^.[\]]+$/, ''));
    if (!found) return;
    const { list, n, stem } = found;
    const at = (m) => stem + '[' + m + ']';
    if (what === 'copy') change(() => list.splice(n + 1, 0, copy(list[n])), at(n + 1));
    if (what === 'up' && n > 0) change(() => list.splice(n - 1, 0, list.splice(n, 1)[0]), at(n - 1));
    if (what === 'down' && n < list.length - 1) change(() => list.splice(n + 1, 0, list.splice(n, 1)[0]), at(n + 1));
    if (what === 'remove') {
      if (stem === 'when' && list.length === 1) return;
      const before = copy(rule);
      change(() => list.splice(n, 1), list.length > 1 ? at(Math.min(n, list.length - 2)) : '');
      if (list.length === 0) /** @type {HTMLElement | null} */ (body.querySelector('[data-list="' + stem + '"]'))?.focus();
      toast(_('Removed.'), () => { rule = before; draw(); focusOn(path); later(); });
    }
  }

  /** The item in which the focus is. */
  const here = () => document.activeElement?.closest('[data-item]')?.getAttribute('data-item') || '';

  function block(title, symbol, ...children) {
    return h('section', { class: 'rule-block' }, h('h2', {}, icon(symbol), title), children);
  }

  function addStep(after = -1) {
    const n = after < 0 ? rule.then.length : after + 1;
    change(() => rule.then.splice(n, 0, { action: 'crm_actions.note', params: {} }), 'then[' + n + '].action');
    /** @type {HTMLElement | null} */ (body.querySelector('[data-path="then[' + n + '].action"] button'))?.click();
  }

  function draw() {
    rule.then ||= [];
    rule.examples ||= [];
    body.replaceChildren(
      h('section', { class: 'rule-block' }, h('label', { class: 'rule-name' }, h('span', { class: 'rule-label' }, _('Title')), textChip('name', _('Title'), rule.name, (value) => edit(() => { rule.name = value; }), { maxlength: 200, id: 'rule-name' }))),
      block(_('When'), 'radio', h('ul', { class: 'rule-parts' }, rule.when.map((one, n) => whenPart(kit, one, n, rule.when.length))),
        h('button', { type: 'button', class: 'btn small quiet', 'data-list': 'when', onclick: () => change(() => rule.when.push({ event: eventList()[0].name }), 'when[' + (rule.when.length - 1) + '].event') }, icon('plus'), _('Or when'))),
      block(_('If'), 'filter', rule.if[Object.keys(rule.if)[0]].length ? groupPart(kit, rule.if, 'if', { root: true })
        : h('div', { class: 'rule-line', 'data-path': 'if' }, h('span', { class: 'muted' }, _('No conditions: always.')), h('button', { type: 'button', class: 'btn small quiet', 'data-list': 'if.all', 'data-add': 'condition', onclick: () => change(() => { rule.if = { all: [newCondition()] }; }, 'if.all[0].field') }, icon('plus'), _('Condition')))),
      block(_('Then'), 'play', h('ol', { class: 'rule-parts rule-steps' }, rule.then.map((one, n) => stepPart(kit, one, n))),
        h('div', { class: 'rule-line', 'data-path': 'then' }, h('button', { type: 'button', class: 'btn small', 'data-list': 'then', 'data-add': 'step', onclick: () => addStep() }, icon('plus'), _('Step'), h('kbd', {}, 'A')))),
      block(_('How often'), 'hourglass', guardsPart(kit, rule)),
      h('details', { class: 'rule-block', 'data-kept': 'examples', ...(open.has('examples') ? { open: true } : {}) },
        h('summary', {}, _('Examples'), ' ', h('span', { class: 'chip' }, String(rule.examples.length))),
        h('p', { class: 'muted small' }, _('Cases on which the rule must fire or stay silent. Saving and importing try them.')),
        h('ul', { class: 'rule-parts' }, rule.examples.map((one, n) => examplePart(kit, rule, one, n))),
        h('button', { type: 'button', class: 'btn small quiet', 'data-list': 'examples', onclick: () => { open.add('examples'); change(() => rule.examples.push({ values: asked_values(), fires: true }), 'examples[' + (rule.examples.length - 1) + '].name'); } }, icon('plus'), _('Example'))));
    for (const one of body.querySelectorAll('details[data-kept]')) one.addEventListener('toggle', () => { const name = one.getAttribute('data-kept') || ''; if (/** @type {any} */ (one).open) open.add(name); else open.delete(name); });
    if (document.activeElement !== text) text.value = JSON.stringify(cleaned(), null, 2);
    showWrong();
  }
  const open = new Set();

  /** The fields that the conditions ask for, empty: a case begins with them. */
  function asked_values() {
    const found = {};
    const walk = (tree) => { if (!tree) return; if ('field' in tree) found[tree.field] = ''; else for (const part of Object.values(tree)[0]) walk(part); };
    walk(rule.if);
    return found;
  }

  // -- what is wrong ---------------------------------------------------------------------------

  /** Where somebody was already. What stands empty because nobody came to it yet is no fault. */
  const touched = new Set();
  let tried = Boolean(data.id);
  body.addEventListener('focusout', (event) => {
    const place = /** @type {HTMLElement} */ (event.target).closest('[data-path]')?.getAttribute('data-path');
    if (!place || touched.has(place)) return;
    touched.add(place);
    // Not at once: what is being clicked on must not slip away.
    if (!tried) setTimeout(() => { showWrong(); say(); }, 300);
  });

  function showWrong() {
    for (const one of body.querySelectorAll('.rule-wrong')) one.remove();
    for (const one of body.querySelectorAll('[aria-invalid]')) { one.removeAttribute('aria-invalid'); one.removeAttribute('aria-describedby'); }
    wrong.forEach((one, n) => {
      let path = one.path;
      let found = null;
      while (path && !found) {
        found = body.querySelector('[data-path="' + path + '"]');
        path = path.replace(/(\.[^.[\]]+|\[\d+\])$/, (part) => (part === path ? '' : ''));
      }
      found ||= body;
      if (!tried && !touched.has(found.getAttribute('data-path'))) return;
      const words = h('span', { class: 'rule-wrong', id: 'wrong-' + n }, icon('circle-alert'), one.text);
      found.append(words);
      const control = found.querySelector('input, select, textarea, button.rule-chip');
      if (control && found !== body && one.path) { control.setAttribute('aria-invalid', 'true'); control.setAttribute('aria-describedby', 'wrong-' + n); }
    });
  }

  function say() {
    const changed = kept() !== first;
    const count = tried ? wrong.length : body.querySelectorAll('.rule-wrong').length;
    state.textContent = count ? _('{number} to mend', { number: count }) : changed ? _('Not saved yet') : data.id ? _('Saved.') : '';
    state.classList.toggle('bad', Boolean(count));
    keepOff.hidden = !wrong.length;
  }

  function later() {
    if (document.activeElement !== text) text.value = JSON.stringify(cleaned(), null, 2);
    say();
    clearTimeout(timer);
    timer = window.setTimeout(look, 350);
  }

  async function look() {
    const mine = ++asked;
    try {
      const found = await post(data.path + '/check', { definition: cleaned() });
      if (mine !== asked) return;
      wrong = found.wrong;
      doubts.replaceChildren(...found.doubts.map((one) => h('div', { class: 'banner warn', role: 'status' }, icon('triangle-alert'), h('span', { class: 'grow' }, one))));
      showWrong();
      say();
    } catch (error) { if (mine === asked && error instanceof Refused) complain(error); }
  }

  // -- keeping ---------------------------------------------------------------------------------

  /** Ask what becomes of what waits; null gives up. */
  function askArmed(number) {
    return new Promise((resolve) => {
      const sheet = openSheet(_('Something waits'), 'narrow');
      let given = null;
      const button = (word, label, kind) => h('button', { type: 'button', class: 'btn ' + kind, onclick: () => { given = word; sheet.dialog.close(); } }, label);
      sheet.body.append(h('p', {}, _('{number} steps of this rule wait for their time. What shall become of them?', { number })),
        h('div', { class: 'row-buttons' }, button('keep', _('Let them come'), 'primary'), button('cancel', _('Call them off'), 'danger')));
      sheet.dialog.addEventListener('close', () => resolve(given));
    });
  }

  /** Keep the rule; gives true when it was kept. */
  async function save(armed = 'ask', draft = false) {
    if (saving) return false;
    saving = true;
    tried = true;
    try {
      const found = await post(data.path + '/keep', { definition: cleaned(), version: data.version, armed, draft });
      first = kept();
      left = true;
      location.href = '/settings/rules/' + found.id + '?said=saved';
      return true;
    } catch (error) {
      saving = false;
      if (error instanceof Refused && error.what === 'armed') {
        const word = await askArmed(error.details?.waiting || 0);
        return word ? save(word, draft) : false;
      }
      if (error instanceof Refused && error.status === 422) {
        wrong = wrong.filter((one) => one.path !== error.field).concat({ path: error.field, text: error.message });
        if (error.field.startsWith('examples')) { open.add('examples'); draw(); }
        showWrong();
        say();
        const bad = /** @type {HTMLElement | null} */ (body.querySelector('[aria-invalid]'));
        if (bad) bad.focus(); else toast(error.message);
      } else if (error instanceof Refused && error.status === 409) toast(_('Somebody changed this rule meanwhile. Copy what you need from “Advanced” and reload.'), null, 12);
      else complain(error);
      return false;
    }
  }

  // -- the advanced tab ------------------------------------------------------------------------

  text.addEventListener('input', () => {
    try {
      const read = JSON.parse(text.value);
      if (!read || typeof read !== 'object' || !Array.isArray(read.when) || !read.when.length) return;
      rule = { ...read, if: asGroup(read.if) };
      tried = true;
      draw();
      later();
    } catch { state.textContent = _('This is no JSON yet'); }
  });

  let left = false;
  let first = kept();
  addEventListener('beforeunload', (event) => { if (!left && kept() !== first) event.preventDefault(); });
  root.append(body, doubts, h('div', { class: 'rule-foot' }, state,
    data.may ? keepOff : null,
    data.may ? h('button', { type: 'button', class: 'btn primary', 'data-do': 'keep', onclick: () => save() }, _('Save'), h('kbd', {}, 'Ctrl+S')) : null));
  draw();
  say();
  if (data.id) look();
  return { rule: () => cleaned(), values: asked_values, save, tool: (what) => tool(what, here()), addStep: () => addStep(Number(/^then\[(\d+)\]/.exec(here())?.[1] ?? -1)), here };
}
