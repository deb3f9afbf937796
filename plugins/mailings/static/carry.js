// @ts-check
// Rows carried by a handle, with a mouse or a finger; keys do the same elsewhere.
const EDGE = 70;

/** Let rows (`.block`) of a list and of the lists inside of it be carried; gives what makes a handle. */
export function carries(list, { takes, drop }) {
  /** @type {{row: HTMLElement, box: HTMLElement | null, before: HTMLElement | null} | null} */
  let held = null;
  const clear = () => { for (const one of list.parentElement?.querySelectorAll('.drop-before, .drop-end') || []) one.classList.remove('drop-before', 'drop-end'); };

  function over(x, y) {
    if (!held) return;
    clear();
    held.box = null;
    const { row } = held;
    const under = /** @type {HTMLElement | null} */ (document.elementFromPoint(x, y));
    if (!under || !list.contains(under)) return;
    let box = /** @type {HTMLElement} */ (under.closest('.block-column')?.querySelector('.blocks') || list);
    // Nothing is put inside of itself.
    if (row.contains(box) || !takes(row, box)) box = list;
    const rows = /** @type {HTMLElement[]} */ ([...box.children]).filter((one) => one !== row);
    const next = rows.find((one) => { const place = one.getBoundingClientRect(); return y < place.top + place.height / 2; }) || null;
    held.box = box;
    held.before = next;
    if (next) next.classList.add('drop-before'); else box.classList.add('drop-end');
  }

  function end(done) {
    if (!held) return;
    const { row, box, before } = held;
    held = null;
    clear();
    row.classList.remove('carried');
    if (done && box) drop(row, box, before);
  }

  return (handle, row) => {
    handle.addEventListener('pointerdown', (event) => {
      if (event.button) return;
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
      held = { row, box: null, before: null };
      row.classList.add('carried');
    });
    handle.addEventListener('pointermove', (event) => {
      if (held?.row !== row) return;
      over(event.clientX, event.clientY);
      const pane = list.closest('.page') || document.scrollingElement;
      if (event.clientY < EDGE) pane?.scrollBy(0, -12);
      if (event.clientY > innerHeight - EDGE) pane?.scrollBy(0, 12);
    });
    handle.addEventListener('pointerup', () => end(true));
    handle.addEventListener('pointercancel', () => end(false));
    handle.addEventListener('lostpointercapture', () => end(false));
  };
}
