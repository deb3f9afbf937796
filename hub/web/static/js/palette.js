// @ts-check
// The help sheet and the palette, both drawn out of the one key map.
import { _ } from 'hub/i18n';
import { allKeys, showCombo } from 'hub/keys';
import { choose, openSheet } from 'hub/sheet';

/** Draw the help sheet. */
export function showHelp() {
  const sheet = openSheet(_('Keys'), 'wide');
  const groups = new Map();
  for (const one of allKeys(true)) {
    if (!groups.has(one.group)) groups.set(one.group, []);
    groups.get(one.group).push(one);
  }
  for (const [name, list] of groups) {
    const title = document.createElement('h3');
    title.textContent = name;
    const grid = document.createElement('div');
    grid.className = 'help-grid';
    for (const one of list) {
      const line = document.createElement('div');
      const words = document.createElement('span');
      words.textContent = one.label;
      const hint = document.createElement('span');
      hint.className = 'nowrap';
      for (const part of showCombo(one.combo)) {
        const kbd = document.createElement('kbd');
        kbd.textContent = part;
        hint.append(kbd, ' ');
      }
      line.append(words, hint);
      grid.append(line);
    }
    sheet.body.append(title, grid);
  }
}

async function quick(text) {
  const answer = await fetch('/search/quick?q=' + encodeURIComponent(text), { headers: { Accept: 'application/json' } });
  return answer.ok ? answer.json() : [];
}

/** @type {Promise<any[]> | null} */
let settings = null;

/** Find settings by their words. */
export async function findSettings(text, limit) {
  settings ||= fetch('/settings/words', { headers: { Accept: 'application/json' } }).then((answer) => (answer.ok ? answer.json() : [])).catch(() => []);
  const wanted = text.toLowerCase();
  return (await settings).filter((one) => (one.label + ' ' + one.group).toLowerCase().includes(wanted)).slice(0, limit);
}

/** Find dialogs and people by a text; `done` may be called twice: at once, and with what was found. */
export function findObjects(text, first, done) {
  done(first);
  if (text.length < 2) return;
  setTimeout(async () => {
    try { done([...first, ...(await quick(text)), ...(await findSettings(text, 4))]); } catch { /* what is at hand stays */ }
  }, 120);
}

/** What menus and the head of the page offer without a key of its own; each under the name of its place. */
function offered() {
  const heading = document.querySelector('.page-head h1')?.textContent?.trim() || '';
  const all = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-offers] :is(button, a):not(:has(kbd)), .page-head .btn:not(.icon-only)'));
  return [...all].filter((one) => !one.closest('[hidden]')).map((one) => {
    const place = /** @type {HTMLElement | null} */ (one.closest('[data-offers]'));
    return {
      label: (one.querySelector('.grow') || one).textContent?.trim() || '',
      group: place?.dataset.offers || place?.getAttribute('aria-label') || heading,
      run: () => one.click(),
    };
  });
}

/** The palette: every act by its name, and what the server finds. */
export async function showPalette() {
  const keys = allKeys().filter((key) => key.combo !== 'Ctrl+K').map((key) => ({ ...key, combo: showCombo(key.combo).join(' ') }));
  const more = offered().filter((one) => !keys.some((key) => key.label === one.label));
  const one = await choose(_('What to do?'), _('Type an action or a name'), (text, done) => {
    const wanted = text.toLowerCase().split(/\s+/);
    const meant = (said) => wanted.every((word) => said.toLowerCase().includes(word));
    const acts = [...keys.filter((key) => meant(key.label)), ...more.filter((each) => meant(each.group + ' ' + each.label))];
    findObjects(text, acts.slice(0, text ? 10 : 100), done);
  });
  if (one?.run) one.run();
  else if (one?.href) location.href = one.href;
}
