// @ts-check
// What of messengers opens in a sheet: the templates, a new button, a message's earlier texts.
import { _ } from 'hub/i18n';
import { act, chip, complain, fragment, newKey, toast } from 'hub/api';
import { ask, openSheet } from 'hub/sheet';

const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));

function preview(one) {
  const values = Object.fromEntries([...one.querySelectorAll('[data-variable]')].map((input) => [input.dataset.variable, input.value]));
  for (const place of one.querySelectorAll('[data-words]')) place.textContent = place.dataset.words.replace(/\{\{\s*([^{}\s]+)\s*\}\}/g, (whole, name) => values[name] || whole);
  return values;
}

/** Choose a template, fill it in, see how it reads, send it; a quick reply names the one it is. */
export async function templates(id, reply = { key: '', template: '', template_language: '' }) {
  const key = newKey();
  try {
    const html = await fragment('/inbox/dialog/' + id + '/templates');
    const { dialog, body } = openSheet(_('Send a template'), 'narrow');
    body.innerHTML = html;
    const forms = [...body.querySelectorAll('form')];
    const choice = body.querySelector('select');
    const show = (n) => forms.forEach((one, at) => { one.hidden = at !== n; });
    choice?.addEventListener('change', () => show(Number(choice.value)));
    const named = forms.findIndex((one) => one.dataset.template === reply.template && (!reply.template_language || one.dataset.language === reply.template_language));
    if (choice && named > 0) { choice.value = String(named); show(named); }
    for (const one of forms) {
      one.addEventListener('input', () => preview(one));
      one.addEventListener('submit', async (event) => {
        event.preventDefault();
        try {
          await act('send', { dialog: id, template: one.dataset.template, template_language: one.dataset.language, template_values: preview(one), suggested: reply.key, key });
          dialog.close();
          toast(_('The template was sent'), null, 3);
        } catch (error) { complain(error); }
      });
    }
  } catch (error) { complain(error); }
}

/** Put a button below the message that is being written. */
export async function addButton(button) {
  const most = Number(button.dataset.most);
  if (pane.querySelectorAll('#pending [data-button]').length >= most) { toast(_('At most {n} buttons.', { n: most })); return; }
  const given = await ask(_('Add a button'), '', _('What stands on it; a link may follow: Our shop https://example.com'));
  if (!given) return;
  const url = given.match(/\s(https?:\/\/\S+)$/)?.[1] || '';
  const label = (url ? given.slice(0, -url.length) : given).trim();
  pane.querySelector('#pending')?.append(chip('▢ ' + label, 'drop-file', { button: label, ...(url ? { url } : {}) }));
}

/** Show what a message said before. */
export async function versions(id) {
  try {
    const html = await fragment('/inbox/message/' + id + '/versions');
    openSheet(_('What it said before'), 'narrow').body.innerHTML = html;
  } catch (error) { complain(error); }
}
