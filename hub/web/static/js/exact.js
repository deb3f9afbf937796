// @ts-check
// A page that shows an estimate at first names the page on which it is counted (`data-exact`): what
// stands in both (`data-counted`, by its id) is put in when it has come.
const shown = /** @type {HTMLElement | null} */ (document.querySelector('[data-exact]'));

async function count() {
  const counting = document.querySelector('[data-counting]');
  try {
    const answer = await fetch(shown?.dataset.exact || '', { headers: { Accept: 'text/html' } });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const old of document.querySelectorAll('[data-counted]')) {
      const fresh = page.getElementById(old.id);
      if (fresh) old.replaceWith(fresh);
    }
  } catch {
    // The link beside it counts once more.
    if (counting) counting.textContent = counting.getAttribute('data-failed');
  }
}

if (shown) count();
