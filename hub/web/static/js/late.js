// @ts-check
// What was pressed while a dialog was on its way, once it is there: each key goes where the one
// before it led, as a command or as a letter of what is being written.

/** @param {KeyboardEvent[]} pressed */
export function replay(pressed) {
  for (const event of pressed) {
    const target = /** @type {HTMLElement} */ (document.activeElement || document.body);
    // Who takes the key says so, as of any other.
    if (!target.dispatchEvent(new KeyboardEvent('keydown', event))) continue;
    if (!target.matches('input, textarea')) { if (event.key === 'Enter') target.click(); }
    else if (event.key === 'Backspace') document.execCommand('delete');
    else document.execCommand('insertText', false, event.key === 'Enter' ? '\n' : event.key);
  }
}
