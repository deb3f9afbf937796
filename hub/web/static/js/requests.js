// @ts-check
// The card of a request: pausing, solving, its deadline in words, its checklist; all by key too.
import { loadTexts, _ } from 'hub/i18n';
import { act, complain, post } from 'hub/api';
import { ask } from 'hub/sheet';

await loadTexts();
await import('hub/app');
const { bind } = await import('hub/keys');

const card = /** @type {HTMLElement | null} */ (document.querySelector('[data-request]'));
const id = card?.dataset.request || '';
const GROUP = _('Requests');

async function move(status, more = {}) {
  try { await act('request-status', { request: id, status, ...more }); location.reload(); } catch (error) { complain(error); }
}

async function pause() {
  const reason = await ask(_('Waiting for the client'), '', _('What for? The clock of the solution stands until the client writes.'));
  if (reason !== null) move('waiting', { reason });
}

async function solve() {
  const solution = await ask(_('Solved'), '', _('What was done? It stays on the card.'));
  if (solution !== null) move('solved', { solution });
}

async function deadline(text = '', anyway = false) {
  const line = text || (await ask(_('Set the deadline'), '', _('tomorrow 15:00, fri 5pm, +2h')));
  if (!line) return;
  try {
    await post('/requests/' + id + '/deadline', { text: line, anyway });
    location.reload();
  } catch (error) {
    const refused = /** @type {any} */ (error);
    if (refused.what !== 'nearest') { complain(error); return; }
    const other = await ask(_('Set the deadline'), refused.details.text, refused.message);
    if (other) deadline(other, true);
  }
}

document.addEventListener('click', (event) => {
  const what = /** @type {HTMLElement} */ (event.target).closest('[data-do]')?.getAttribute('data-do');
  if (what === 'pause') pause();
  else if (what === 'solve') solve();
  else if (what === 'deadline') deadline();
});
document.addEventListener('change', (event) => {
  const box = /** @type {HTMLInputElement} */ (event.target);
  if (!box.dataset.point) return;
  const points = [box.dataset.point];
  act('checklist', { request: id, [box.checked ? 'tick' : 'untick']: points }).catch((error) => { box.checked = !box.checked; complain(error); });
});

const has = (name) => ({ when: () => Boolean(card?.querySelector('[data-do="' + name + '"]')) });
bind('D', _('Set the deadline'), GROUP, () => deadline(), has('deadline'));
bind('Shift+P', _('Pause with a reason'), GROUP, pause, has('pause'));
bind('Space', _('Solved'), GROUP, solve, has('solve'));
bind('A', _('Responsible'), GROUP, () => document.getElementById('f-owner_id')?.focus());
bind('P', _('Priority'), GROUP, () => document.getElementById('f-priority')?.focus());
