// @ts-check
// Drawing a part anew under somebody's hands: what both drawings have stays the same element, so
// that an open menu and the place of the keyboard outlive it.

/** Let a node say a text, and hide it where there is none; one that says it already costs the page nothing. */
export function say(node, text) {
  if (!node || (node.textContent === text && node.hidden === !text)) return;
  node.textContent = text;
  node.hidden = !text;
}

const nameOf = (one) => one.dataset.do || one.getAttribute('popovertarget') || one.className;

/** Bring a row of controls up to its fresh drawing. */
export function redraw(old, fresh) {
  const wanted = new Map([...fresh.children].map((one) => [nameOf(one), one]));
  for (const one of [...old.children]) if (!wanted.has(nameOf(one))) one.remove();
  const known = new Map([...old.children].map((one) => [nameOf(one), one]));
  let place = old.firstElementChild;
  for (const [name, one] of wanted) {
    const same = known.get(name);
    if (same && same === place) place = same.nextElementSibling;
    else old.insertBefore(same || one, place);
    if (same && !same.isEqualNode(one)) become(same, one);
  }
}

/** What its reader has pressed stays pressed. */
function become(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (name !== 'aria-pressed') old.setAttribute(name, value);
  old.replaceChildren(...fresh.childNodes);
}

/** Draw a menu anew; one that is open is when it has closed, or as it opens again before that is told. */
export function redrawMenu(old, fresh) {
  const draw = () => { old.ontoggle = old.onbeforetoggle = null; become(old, fresh); };
  if (!old.matches(':popover-open')) { draw(); return; }
  old.ontoggle = () => { if (!old.matches(':popover-open')) draw(); };
  // Not while it closes: the keyboard goes back to where it came from out of what still stands.
  old.onbeforetoggle = (event) => { if (event.newState === 'open') draw(); };
}
