// @ts-check
// One key for each result while nobody types: 1 to 9, t calls, n takes the next person, u takes back.
document.addEventListener('keydown', (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || target.closest('input:not([type="radio"]), textarea, select, dialog')) return;
  const key = event.code.replace(/^(Digit|Numpad|Key)/, '').toLowerCase();
  const found = /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${CSS.escape(key)}"]`));
  if (!found) return;
  event.preventDefault();
  found.click();
});

// Words are needed to call back: the key goes to their field first where it is empty.
const again = /** @type {HTMLInputElement | null} */ (document.getElementById('f-again'));
document.getElementById('desk')?.addEventListener('submit', (event) => {
  const pressed = /** @type {HTMLButtonElement | null} */ (/** @type {SubmitEvent} */ (event).submitter);
  if (again && pressed?.value === 'result-later' && !again.value.trim()) { event.preventDefault(); again.focus(); }
});
again?.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  /** @type {HTMLElement | null} */ (document.querySelector('button[value="result-later"]'))?.click();
});
