// @ts-check
// Placeholders put where one writes: found by a part of their name and chosen.
import { choose } from 'hub/sheet';

const FIELDS = 'textarea, input:not([type]), input[type="text"], input[type="url"]';

/** Let a button put one of its `data-placeholders` (name, words, an example) into the field that was written in last. */
export function offer(button, form) {
  /** @type {HTMLTextAreaElement | null} */
  let last = null;
  const seen = (one) => one.isConnected && one.offsetParent && !one.readOnly && !one.disabled;
  form.addEventListener('focusin', (event) => { if (/** @type {HTMLElement} */ (event.target).matches(FIELDS)) last = /** @type {any} */ (event.target); });
  button.addEventListener('click', async () => {
    const all = JSON.parse(button.dataset.placeholders || '[]').map(([name, label, sample]) => ({ name, label, group: sample }));
    const place = last && seen(last) ? last : /** @type {HTMLTextAreaElement | undefined} */ ([.../** @type {NodeListOf<HTMLTextAreaElement>} */ (form.querySelectorAll('textarea'))].find(seen));
    if (!place) return;
    const [from, to] = [place.selectionStart ?? place.value.length, place.selectionEnd ?? place.value.length];
    const title = button.textContent?.trim() || '';
    const chosen = await choose(title, title, (text, give) => give(all.filter((one) => (one.label + ' ' + one.name).toLowerCase().includes(text.toLowerCase()))));
    place.focus();
    if (!chosen) return;
    place.setRangeText('{{ ' + chosen.name + ' }}', from, to, 'end');
    place.dispatchEvent(new Event('input', { bubbles: true }));
  });
}
