// @ts-check
// A letter as blocks: each part of the light markup is a row of fields; the textarea stays the truth.
const words = /** @type {HTMLTemplateElement | null} */ (document.getElementById('block-words'));
const kinds = JSON.parse(words?.dataset.kinds || '{}');
const said = JSON.parse(words?.dataset.words || '{}');
const token = document.querySelector('meta[name="csrf"]')?.getAttribute('content') || '';

function node(tag, attributes = {}, text = '') {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

function read(markup) {
  return markup.trim().split(/\n\s*\n/).filter((part) => part.trim()).map((part) => {
    const text = part.trim();
    const picture = /^!\[([^\]\n]*)\]\(((?:\{\{[^{}]*\}\}|\S)*?)\)$/.exec(text);
    const button = /^\[\[([^|\]\n]*)\|((?:\{\{[^{}]*\}\}|\S)*?)\]\]$/.exec(text);
    if (text === '---') return { kind: 'line', text: '', address: '' };
    if (picture) return { kind: 'picture', text: picture[1], address: picture[2] };
    if (button) return { kind: 'button', text: button[1], address: button[2] };
    if (text.startsWith('#')) return { kind: 'heading', text: text.replace(/^#+\s*/, ''), address: '' };
    return { kind: 'text', text, address: '' };
  });
}

function write(blocks) {
  return blocks.map((one) => {
    if (one.kind === 'line') return '---';
    if (one.kind === 'picture') return '![' + one.text + '](' + one.address + ')';
    if (one.kind === 'button') return '[[' + one.text + '|' + one.address + ']]';
    if (one.kind === 'heading') return '# ' + one.text.replace(/\n+/g, ' ');
    return one.text.replace(/\n\s*\n+/g, '\n');
  }).filter((part) => part.trim()).join('\n\n');
}

function editor(area) {
  let blocks = read(area.value);
  const list = node('div', { class: 'blocks', role: 'list' });
  const field = /** @type {HTMLElement} */ (area.closest('.field'));
  const keep = () => { area.value = write(blocks); };
  const go = (n) => /** @type {HTMLElement | null} */ (list.children[n]?.querySelector('.block-field .textarea, .block-field .input') || list.children[n]?.querySelector('select'))?.focus();

  function input(block, name, label, long) {
    const wrap = node('label', { class: 'block-field' });
    const made = /** @type {HTMLInputElement} */ (node(long ? 'textarea' : 'input', long ? { class: 'textarea', rows: '3' } : { class: 'input' }));
    made.value = block[name];
    made.addEventListener('input', () => { block[name] = made.value; keep(); });
    wrap.append(node('span', { class: 'muted small' }, label), made);
    return wrap;
  }

  function upload(block) {
    const wrap = node('label', { class: 'block-field' });
    const made = /** @type {HTMLInputElement} */ (node('input', { class: 'input', type: 'file', accept: 'image/png,image/jpeg,image/gif' }));
    made.addEventListener('change', async () => {
      if (!made.files?.length) return;
      const body = new FormData();
      body.append('file', made.files[0]);
      const answer = await fetch('/p/mailings/pictures', { method: 'POST', body, headers: { 'x-csrf-token': token, accept: 'application/json' } });
      const found = await answer.json().catch(() => ({}));
      if (answer.ok) { block.address = found.url; draw(); keep(); }
      else made.setCustomValidity(found.detail || String(answer.status)), made.reportValidity();
    });
    wrap.append(node('span', { class: 'muted small' }, said.upload), made);
    return wrap;
  }

  function act(label, sign, step) {
    const made = node('button', { type: 'button', class: 'btn quiet', 'aria-label': label, title: label }, sign);
    made.addEventListener('click', step);
    return made;
  }

  function move(n, by) {
    const to = n + by;
    if (to < 0 || to >= blocks.length) return;
    [blocks[n], blocks[to]] = [blocks[to], blocks[n]];
    keep(); draw(); go(to);
  }

  function draw() {
    list.replaceChildren(...blocks.map((block, n) => {
      const row = node('div', { class: 'block', role: 'listitem', 'aria-label': kinds[block.kind] });
      const kind = /** @type {HTMLSelectElement} */ (node('select', { class: 'select input', 'aria-label': said.kind }));
      for (const [key, label] of Object.entries(kinds)) kind.append(node('option', { value: key }, String(label)));
      kind.value = block.kind;
      kind.addEventListener('change', () => { block.kind = kind.value; keep(); draw(); go(n); });
      const acts = node('span', { class: 'block-acts' });
      acts.append(act(said.up, '↑', () => move(n, -1)), act(said.down, '↓', () => move(n, 1)), act(said.remove, '×', () => { blocks.splice(n, 1); keep(); draw(); go(Math.max(0, n - 1)); }));
      const head = node('div', { class: 'block-head' });
      head.append(kind, acts);
      row.append(head);
      if (block.kind !== 'line') row.append(input(block, 'text', block.kind === 'picture' ? said.alt : said.words, block.kind === 'text'));
      if (block.kind === 'picture' || block.kind === 'button') row.append(input(block, 'address', said.address, false));
      if (block.kind === 'picture') row.append(upload(block));
      row.addEventListener('keydown', (event) => {
        if (event.altKey && (event.code === 'ArrowUp' || event.code === 'ArrowDown')) { event.preventDefault(); move(n, event.code === 'ArrowUp' ? -1 : 1); }
      });
      return row;
    }));
  }

  const add = node('button', { type: 'button', class: 'btn' }, said.add);
  add.addEventListener('click', () => { blocks.push({ kind: 'text', text: '', address: '' }); draw(); go(blocks.length - 1); });
  const turn = node('button', { type: 'button', class: 'btn', 'aria-pressed': 'false' }, said.code);
  const box = node('div', { class: 'block-editor', role: 'group', 'aria-label': said.blocks });
  const show = (code) => {
    if (!code) { blocks = read(area.value); draw(); }
    turn.setAttribute('aria-pressed', String(code));
    field.hidden = !code; list.hidden = add.hidden = code;
  };
  turn.addEventListener('click', () => show(turn.getAttribute('aria-pressed') !== 'true'));
  const acts = node('div', { class: 'acts' });
  acts.append(add, turn);
  box.append(list, acts);
  field.after(box);
  // Code of its own is not taken apart.
  show(/^\s*<(mjml|html|!doctype)/i.test(area.value));
}

for (const area of /** @type {NodeListOf<HTMLTextAreaElement>} */ (document.querySelectorAll('textarea[data-blocks]'))) if (!area.disabled) editor(area);
