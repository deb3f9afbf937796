// @ts-check
// The numbers of a mailing while it is sent, and Ctrl+S in its form.
const place = /** @type {HTMLElement | null} */ (document.querySelector('[data-numbers]'));
const form = /** @type {HTMLFormElement | null} */ (document.getElementById('mailing-form'));

async function look() {
  if (!place) return;
  const answer = await fetch(place.dataset.numbers || '', { headers: { accept: 'application/json' } });
  if (!answer.ok) return;
  const found = await answer.json();
  for (const node of place.querySelectorAll('[data-number]')) node.textContent = String(found[node.getAttribute('data-number') || '']);
  for (const node of /** @type {NodeListOf<HTMLMeterElement>} */ (place.querySelectorAll('[data-meter]'))) { node.max = found.planned || 1; node.value = found[node.dataset.meter || '']; }
  for (const one of found.wordings || []) for (const node of place.querySelectorAll(`[data-wording="${one.name}"] [data-part]`)) node.textContent = node.getAttribute('data-part') === 'share' ? one.share.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 }) : String(one[node.getAttribute('data-part') || '']);
  const pace = /** @type {HTMLElement | null} */ (place.querySelector('[data-pace]'));
  if (pace) { pace.textContent = found.pace; pace.hidden = !found.pace; }
  const chosen = (found.wordings || []).some((/** @type {{won: boolean}} */ one) => one.won) && !place.querySelector('.wording.won');
  // Another state has another word and other buttons; which wording was chosen is said by the page.
  const drawn = document.querySelector('[data-state]')?.getAttribute('data-state');
  if (chosen || found.state !== drawn) location.reload();
  else window.setTimeout(look, 2000);
}

// A test that is on its way: its word changes when it has arrived or failed.
const tests = /** @type {HTMLElement | null} */ (document.querySelector('[data-tests]'));
async function followTests() {
  const open = /** @type {HTMLElement[]} */ ([...(tests?.querySelectorAll('[data-open]') || [])]);
  if (!tests || !open.length) return;
  const answer = await fetch(tests.dataset.tests || '', { headers: { accept: 'application/json' } });
  if (!answer.ok) return;
  const found = await answer.json();
  for (const one of open) {
    const now = found[one.dataset.test || ''];
    if (!now) continue;
    one.textContent = now.text;
    if (!now.open) one.removeAttribute('data-open');
  }
  window.setTimeout(followTests, 1000);
}
window.setTimeout(followTests, 500);

if (place?.dataset.live) window.setTimeout(look, 1000);
document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.code === 'KeyS' && form) { event.preventDefault(); form.requestSubmit(/** @type {HTMLElement | null} */ (form.querySelector('button[value="save"]'))); }
});
