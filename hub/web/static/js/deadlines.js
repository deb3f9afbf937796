// @ts-check
// Deadlines that count down by themselves: how much is left, and a colour that is never alone.
import { _, duration } from 'hub/i18n';

/** Draw every deadline that is on the page. */
export function drawDeadlines() {
  const now = Date.now();
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-due]'))) {
    const due = Number(one.dataset.due) / 1000;
    const words = one.querySelector('[data-left]');
    if (!due || !words) continue;
    const left = due - now;
    const text = left >= 0 ? duration(left) : _('overdue') + ' ' + duration(-left);
    if (words.textContent !== text) words.textContent = text;
    one.classList.toggle('bad', left < 0);
    one.classList.toggle('warn', left >= 0 && left < 3600e3);
  }
}

drawDeadlines();
setInterval(drawDeadlines, 20000);
document.addEventListener('hub:refreshed', drawDeadlines);
let asked = false;
const holds = (node) => node.nodeType === 1 && (node.matches('[data-due]') || node.querySelector('[data-due]'));
new MutationObserver((all) => {
  if (asked || !all.some((one) => /** @type {Element} */ (one.target).closest('[data-due]') || [...one.addedNodes].some(holds))) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; drawDeadlines(); });
}).observe(document.body, { childList: true, subtree: true });
