// @ts-check
// What is done with several chosen dialogs at once.
import { _ } from 'hub/i18n';
import { act, complain, toast } from 'hub/api';
import { rowOf, selected } from 'hub/inbox/rows';
import { ask } from 'hub/sheet';

const me = document.querySelector('meta[name="me"]')?.getAttribute('content') || '0';

/** Do one thing with all that are chosen. @param {string} what @param {(id: string, on: boolean) => void} toggle @param {() => void} reread */
export async function doWithMany(what, toggle, reread) {
  const ids = [...selected];
  if (!ids.length) return;
  if (what === 'client') { for (const id of ids) toggle(id, false); import('hub/inbox/unlinked').then((all) => all.linkToClient(ids, reread)); return; }
  const before = new Map(ids.map((id) => [id, rowOf(id)?.dataset.status === 'waiting' ? 'waiting' : 'open']));
  for (const id of ids) toggle(id, false);
  if (what === 'none') return;
  const one = { close: (id) => act('status', { dialog: id, status: 'closed' }), take: (id) => act('assign', { dialog: id, user: me }), tag: null }[what];
  let run = one;
  if (what === 'tag') {
    const text = await ask(_('Tags'), '', _('Several are separated by commas.'));
    if (!text) return;
    const add = text.split(',').map((each) => each.trim()).filter(Boolean);
    run = (id) => act('tag', { dialog: id, add });
  }
  if (!run) return;
  const failed = (await Promise.allSettled(ids.map(run))).filter((each) => each.status === 'rejected');
  const words = { close: _('Closed: {n}', { n: ids.length - failed.length }), take: _('Taken: {n}', { n: ids.length - failed.length }), tag: _('Tagged: {n}', { n: ids.length - failed.length }) }[what];
  toast(words, what === 'close' ? () => ids.forEach((id) => act('status', { dialog: id, status: before.get(id) }).catch(complain)) : null);
  if (failed.length) complain(/** @type {any} */ (failed[0]).reason);
}
