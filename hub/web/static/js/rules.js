// @ts-check
// Automation: the list's keys; the editor of one rule with its keys and its dry run. The pages
// work as plain forms without this.
import { loadTexts, _ } from 'hub/i18n';

await loadTexts();
await import('hub/settings');
const { bind } = await import('hub/keys');
const group = _('Rule');
const fresh = /** @type {HTMLAnchorElement | null} */ (document.getElementById('new-rule'));
if (fresh) bind('C', _('New rule'), group, () => { location.href = fresh.href; });
const root = document.getElementById('rule-editor');
if (root) await edit(root);
document.documentElement.dataset.ready = 'rules';

async function edit(node) {
  const data = JSON.parse(node.dataset.rule || '{}');
  const [{ makeEditor }, { makeTrial }, { loadWords }] = await Promise.all([import('hub/rules/editor'), import('hub/rules/trying'), import('hub/rules/words')]);
  await loadWords();
  const editor = makeEditor(node, data);
  const trial = makeTrial(document.getElementById('rule-trial'), data, editor);
  const inside = () => Boolean(editor.here());
  bind('Ctrl+S', _('Save'), group, () => { if (data.may) editor.save(); }, { typing: true });
  bind('Ctrl+Enter', _('Dry run'), group, () => trial.run(), { typing: true });
  bind('A', _('Add a step after this one'), group, () => editor.addStep());
  bind('Alt+Up', _('Move up'), group, () => editor.tool('up'), { typing: true });
  bind('Alt+Down', _('Move down'), group, () => editor.tool('down'), { typing: true });
  bind('Delete', _('Remove, with undo'), group, () => editor.tool('remove'), { when: inside });
  bind('Ctrl+D', _('Duplicate'), group, () => editor.tool('copy'), { typing: true });
  if (!data.id) document.getElementById('rule-name')?.focus();
}
