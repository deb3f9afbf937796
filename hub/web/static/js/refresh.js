// @ts-check
// A part of a page that changes by itself is fetched again until it is done. With the value "part"
// the rest of the page stays as it is: somebody may be writing there.
const PAUSE = 700;

async function refresh() {
  const shown = document.querySelector('[data-refresh]');
  if (!shown) return;
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: 'text/html' } });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = page.getElementById(shown.id);
    const rest = shown.getAttribute('data-refresh') === 'part';
    if (fresh && rest && !fresh.hasAttribute('data-refresh')) {
      shown.replaceWith(fresh);
      return;
    }
    if (fresh && !fresh.hasAttribute('data-refresh')) {
      // The next step has its own forms: the whole page is drawn anew.
      location.reload();
      return;
    }
    const focused = shown.contains(document.activeElement);
    if (fresh && !focused) shown.replaceChildren(...fresh.childNodes);
    else if (fresh) for (const name of ['progress', 'dl', 'p']) {
      const [old, now] = [shown.querySelector(name), fresh.querySelector(name)];
      if (old && now) old.replaceWith(now);
    }
  } catch { /* The network is away: the next look may find it. */ }
  setTimeout(refresh, PAUSE);
}

setTimeout(refresh, PAUSE);
