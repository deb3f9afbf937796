// @ts-check
// Dialogs that hang in the air: given to a client, or remembered to be no client's.
import { _ } from 'hub/i18n';
import { act, complain, toast } from 'hub/api';
import { choose } from 'hub/sheet';

/** Ask for a client, and give the people of some dialogs to it; `reread` draws the list anew. */
export async function linkToClient(dialogs, reread) {
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
    reread();
    toast(_('Linked: {n}', { n: dialogs.length }));
  } catch (error) { complain(error); }
}

/** Remember that the writers of some dialogs are no clients; `reread` draws the list anew. */
export async function setAside(dialogs, reason, reread) {
  try {
    await act('aside', { dialogs, reason });
    reread();
    toast(_('Remembered: no client'), () => act('aside', { dialogs, reason: '' }).then(reread).catch(complain));
  } catch (error) { complain(error); }
}
