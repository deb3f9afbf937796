// @ts-check
// Dialogs that hang in the air: given to a client, or remembered to be no client's.
import { _ } from 'hub/i18n';
import { act, complain, toast } from 'hub/api';
import { choose } from 'hub/sheet';
import { rowOf } from 'hub/inbox/rows';

function gone(ids) {
  if (document.getElementById('rows')?.dataset.view === 'unlinked') for (const id of ids) rowOf(id)?.remove();
}

/** Ask for a client, and give the people of some dialogs to it. */
export async function linkToClient(dialogs) {
  const anew = { label: _('A new client of each'), client: '0' };
  const one = await choose(_('To which client?'), _('Name, phone, e-mail'), async (text, done) => {
    done([anew]);
    if (text.length < 2) return;
    const answer = await fetch('/search/quick?q=' + encodeURIComponent(text), { headers: { Accept: 'application/json' } });
    const found = answer.ok ? await answer.json() : [];
    done([anew, ...found.filter((each) => each.href.startsWith('/clients/')).map((each) => ({ label: each.label, client: each.href.split('/').pop() }))]);
  });
  if (!one) return;
  try {
    await act('client', { dialogs, client: one.client });
    gone(dialogs);
    toast(_('Linked: {n}', { n: dialogs.length }));
  } catch (error) { complain(error); }
}

/** Remember that the writers of some dialogs are no clients. */
export async function setAside(dialogs, reason) {
  try {
    await act('aside', { dialogs, reason });
    gone(dialogs);
    toast(_('Remembered: no client'), () => act('aside', { dialogs, reason: '' }).catch(complain));
  } catch (error) { complain(error); }
}
