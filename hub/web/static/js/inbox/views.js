// @ts-check
// Saved views: the filters and the order of the list under a name.
import { _ } from 'hub/i18n';
import { act, complain, toast } from 'hub/api';
import { offerPermission } from 'hub/inbox/notify';
import { ask } from 'hub/sheet';

/** Keep what the list shows, and how, under a name. */
export async function saveView(query) {
  const name = await ask(_('Name of the view'), '', _('The filters and the order of the list are kept under this name.'));
  if (name) changeViews('view', { name, query }, _('Saved'));
}

/** Change the saved views and draw their menu again. */
async function changeViews(verb, body, text) {
  try {
    await act(verb, body);
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
    const menu = document.getElementById('views');
    const fresh = page.getElementById('views');
    if (menu && fresh) menu.replaceChildren(...fresh.childNodes);
    offerPermission();
    toast(text);
  } catch (error) { complain(error); }
}

/** Take a saved view off the menu. */
export function dropView(view) { changeViews('drop-view', { view }, _('Taken off')); }
