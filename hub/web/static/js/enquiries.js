// @ts-check
// Enquiries without a verdict: J and K go through them, one key says what the chosen one is.
import { loadTexts, _ } from 'hub/i18n';
import { complain, post, toast } from 'hub/api';

await loadTexts();
await import('hub/app');
const [{ bind }, { ask, choose }] = await Promise.all([import('hub/keys'), import('hub/sheet')]);
const list = document.getElementById('enquiries');
const waiting = document.getElementById('waiting');
const group = _('Enquiries');
const rows = () => /** @type {HTMLElement[]} */ ([...(list?.querySelectorAll('.enquiry:not([hidden])') || [])]);
let at = 0;

/** Take the focus to a row; the row is announced with what it says. */
function go(n) {
  const all = rows();
  at = Math.max(0, Math.min(n, all.length - 1));
  for (const [m, one] of all.entries()) one.classList.toggle('chosen', m === at);
  all[at]?.focus();
  all[at]?.scrollIntoView({ block: 'nearest' });
}

function count(change) {
  if (waiting) waiting.textContent = String(Math.max(0, Number(waiting.textContent) + change));
  const end = document.getElementById('all-said');
  if (end) end.hidden = rows().length > 0;
}

const SAID = { lead: _('Made a lead.'), request: _('Made a request.'), interest: _('Made an interest.'), attached: _('Attached.'), rejected: _('Rejected; nothing more is taken from this sender.') };

async function say(row, verdict) {
  if (!row || !row.querySelector('[data-verdict="' + verdict + '"]')) return;
  const path = '/enquiries/' + row.dataset.dialog;
  /** @type {any} */
  const body = { verdict };
  if (verdict === 'rejected') {
    body.reason = await ask(_('Why is it rejected?'), '', _('The sender is remembered: what comes from there is not taken in any more.'), [_('Spam'), _('Advertising'), _('Wrong address')]);
    if (!body.reason) return;
  }
  if (verdict === 'attached') {
    const found = await choose(_('What does it belong to?'), _('A lead, a request, an interest, a client'), async (text, done) => {
      const answer = await fetch(path + '/candidates?q=' + encodeURIComponent(text), { headers: { Accept: 'application/json' } });
      done(answer.ok ? await answer.json() : []);
    });
    if (!found) return;
    body.to = { kind: found.kind, id: found.id };
  }
  const n = rows().indexOf(row);
  row.hidden = true;
  count(-1);
  go(n);
  try {
    const done = await post(path + '/verdict', body);
    toast(SAID[verdict], async () => {
      try { await post(path + '/back', done); row.hidden = false; count(1); go(rows().indexOf(row)); } catch (error) { complain(error); }
    });
  } catch (error) { row.hidden = false; count(1); complain(error); }
}

const here = () => rows()[at];
bind('J', _('Next'), group, () => go(at + 1));
bind('K', _('Previous'), group, () => go(at - 1));
bind('Enter', _('Open the dialog'), group, () => { here()?.querySelector('a')?.click(); }, { when: () => document.activeElement === here() });
bind('L', _('A lead'), group, () => say(here(), 'lead'));
bind('Q', _('A request'), group, () => say(here(), 'request'));
bind('D', _('An interest'), group, () => say(here(), 'interest'));
bind('A', _('Belongs to something'), group, () => say(here(), 'attached'));
bind('X', _('Reject'), group, () => say(here(), 'rejected'));
list?.addEventListener('click', (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest('[data-verdict]');
  if (button) say(button.closest('.enquiry'), button.getAttribute('data-verdict'));
});
list?.addEventListener('focusin', (event) => { const n = rows().indexOf(/** @type {any} */ (/** @type {HTMLElement} */ (event.target).closest('.enquiry'))); if (n >= 0) at = n; });
document.documentElement.dataset.ready = 'enquiries';
