// @ts-check
// Colleagues after an @ in a note: a list under the keyboard's hands.
const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
let chosen = 0;

const colleagues = () => [...pane.querySelectorAll('#assign-menu [data-colleague]')].map((one) => ({ id: one.getAttribute('data-assign') || '', name: one.getAttribute('data-colleague') || '' }));
const list = () => /** @type {HTMLElement | null} */ (pane.querySelector('#mention-list'));

/** Ids of those whom a text names. */
export function mentioned(text) {
  return colleagues().filter((one) => text.includes('@' + one.name)).map((one) => one.id);
}

function begun(text) {
  const found = text.value.slice(0, text.selectionStart).match(/(^|\s)@([^@\n]{0,40})$/);
  return found ? found[2] : null;
}

/** Offer names for what stands before the caret. */
export function suggest(text, isNote) {
  const box = list();
  if (!box) return;
  const begin = isNote ? begun(text) : null;
  const found = begin === null ? [] : colleagues().filter((one) => one.name.toLowerCase().split(' ').some((word) => word.startsWith(begin.toLowerCase())) || one.name.toLowerCase().startsWith(begin.toLowerCase())).slice(0, 6);
  box.hidden = !found.length;
  chosen = 0;
  box.replaceChildren(...found.map((one, n) => {
    const item = document.createElement('li');
    item.setAttribute('role', 'option');
    item.id = 'mention-' + n;
    item.textContent = one.name;
    item.setAttribute('aria-selected', String(n === 0));
    item.addEventListener('mousedown', (event) => { event.preventDefault(); take(text, one.name); });
    return item;
  }));
  if (found.length) text.setAttribute('aria-activedescendant', 'mention-0'); else text.removeAttribute('aria-activedescendant');
}

function take(text, name) {
  const begin = begun(text) || '';
  text.setRangeText('@' + name + ' ', text.selectionStart - begin.length - 1, text.selectionStart, 'end');
  const box = list();
  if (box) box.hidden = true;
  text.dispatchEvent(new Event('input', { bubbles: true }));
}

/** Move in the list and choose; gives whether the key was for it. */
export function mentionKey(text, event) {
  const box = list();
  if (!box || box.hidden) return false;
  const items = [...box.children];
  if (event.code === 'ArrowDown' || event.code === 'ArrowUp') {
    chosen = (chosen + (event.code === 'ArrowDown' ? 1 : -1) + items.length) % items.length;
    items.forEach((one, n) => one.setAttribute('aria-selected', String(n === chosen)));
    text.setAttribute('aria-activedescendant', 'mention-' + chosen);
  } else if (event.code === 'Enter' || event.code === 'Tab') take(text, items[chosen]?.textContent || '');
  else if (event.code === 'Escape') box.hidden = true;
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}
