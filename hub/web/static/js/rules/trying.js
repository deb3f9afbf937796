// @ts-check
// The dry run beside the editor: on the last days, on a past dialog, on a case that is typed.
import { _ } from 'hub/i18n';
import { element, icon } from 'hub/api';
import { choose } from 'hub/sheet';
import { caseValue } from 'hub/rules/blocks';
import { h } from 'hub/rules/words';

const csrf = () => document.querySelector('meta[name="csrf"]')?.getAttribute('content') || '';

/** Make the pane of the dry run. */
export function makeTrial(root, data, editor) {
  const result = h('div', { class: 'rule-tried', id: 'tried', tabindex: '-1', 'aria-live': 'polite' });
  /** @type {Record<string, unknown>} */
  let values = {};
  const cases = h('div', { class: 'rule-case' });
  let last = () => run({ days: 7 });

  async function run(what) {
    last = () => run(what);
    result.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(data.path + '/try', {
        method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/html', 'X-CSRF-Token': csrf() },
        body: JSON.stringify({ definition: editor.rule(), ...what }),
      });
      if (answer.ok) result.replaceChildren(element(await answer.text()));
      else {
        const said = await answer.json().catch(() => ({}));
        result.replaceChildren(h('div', { class: 'banner bad' }, icon('circle-alert'), h('span', { class: 'grow' }, said.error?.message || _('This could not be read.'))));
      }
    } catch { result.replaceChildren(h('div', { class: 'banner bad' }, _('No connection: nothing was changed.'))); }
    result.removeAttribute('aria-busy');
    result.focus();
  }

  async function onDialog() {
    const found = await choose(_('Try it on a dialog'), _('A name, a word, a number'), async (text, done) => {
      const answer = await fetch('/settings/rules/dialogs?q=' + encodeURIComponent(text), { headers: { Accept: 'application/json' } });
      done(answer.ok ? await answer.json() : []);
    });
    if (found) run({ dialog: found.name });
  }

  function drawCase() {
    for (const name of Object.keys(editor.values())) values[name] ??= '';
    const raw = h('textarea', { class: 'input mono', rows: 5, 'aria-label': _('The case as JSON'), spellcheck: 'false' });
    raw.value = JSON.stringify(values, null, 2);
    cases.replaceChildren(...Object.keys(values).map((name) => h('div', { class: 'rule-line' }, caseValue(name, values, 'case', { edit: (how) => { how(); raw.value = JSON.stringify(values, null, 2); } }))),
      Object.keys(values).length ? '' : h('p', { class: 'muted small' }, _('The rule asks for nothing: paste a case below.')),
      h('details', { class: 'more' }, h('summary', {}, _('Paste a case as JSON')), raw),
      h('button', { type: 'button', class: 'btn', onclick: () => {
        try { values = JSON.parse(raw.value); } catch { result.replaceChildren(h('div', { class: 'banner bad' }, _('This is no JSON yet'))); return; }
        run({ values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '')) });
      } }, icon('eye'), _('Try this case')));
    /** @type {HTMLElement | null} */ (cases.querySelector('input, select, textarea'))?.focus();
  }

  root.append(
    h('h2', {}, icon('eye'), _('Dry run')),
    h('p', { class: 'muted small' }, _('Nothing is done and nothing leaves.')),
    h('div', { class: 'row-buttons' },
      h('button', { type: 'button', class: 'btn', 'data-do': 'try-days', onclick: () => run({ days: 7 }) }, icon('history'), _('The last 7 days')),
      h('button', { type: 'button', class: 'btn', 'data-do': 'try-dialog', onclick: onDialog }, icon('inbox'), _('A dialog')),
      h('button', { type: 'button', class: 'btn', 'data-do': 'try-case', onclick: drawCase }, icon('pencil'), _('A case'))),
    cases, result);
  return { run: () => last() };
}
