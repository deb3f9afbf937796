// @ts-check
// A letter as blocks: each part of the light markup is a row of fields; the textarea stays the truth.
import { icon, toast } from 'hub/api';
import { fresh, read, write } from './markup.js';
import { carries } from './carry.js';

const words = /** @type {HTMLTemplateElement | null} */ (document.getElementById('block-words'));
const kinds = JSON.parse(words?.dataset.kinds || '{}');
const said = JSON.parse(words?.dataset.words || '{}');
const token = document.querySelector('meta[name="csrf"]')?.getAttribute('content') || '';
const COLOURED = ['text', 'heading', 'picture', 'button', 'line', 'columns', 'social', 'product', 'raw'];

function node(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

function editor(area) {
  const blocks = read(area.value);
  const list = node('div', { class: 'blocks', role: 'list' });
  const field = /** @type {HTMLElement} */ (area.closest('.field'));
  const keep = () => { area.value = write(blocks); };
  /** Where each row stands: the list it is of, and its number there. @type {WeakMap<Element, {of: any[], n: number}>} */
  const places = new WeakMap();
  /** Which list a box of rows draws. @type {WeakMap<Element, any[]>} */
  const drawn = new WeakMap([[list, blocks]]);
  const rowOf = (block) => [...list.querySelectorAll('.block')].find((row) => { const place = places.get(row); return place && place.of[place.n] === block; });
  const go = (block, on = '.block-field .textarea, .block-field .input') => {
    const row = rowOf(block);
    /** @type {HTMLElement | null | undefined} */ (row?.querySelector(on) || row?.querySelector('select'))?.focus();
  };
  const change = (how, block, on = undefined) => { how(); keep(); draw(); if (block) go(block, on); };

  function input(of, name, label, kind = '') {
    const long = kind === 'long' || kind === 'code';
    const wrap = node('label', { class: 'block-field' });
    const made = /** @type {HTMLInputElement} */ (node(long ? 'textarea' : 'input', long ? { class: 'textarea' + (kind === 'code' ? ' code' : ''), rows: kind === 'code' ? '6' : '3', ...(kind === 'code' ? { spellcheck: 'false' } : {}) } : { class: 'input', ...(kind === 'number' ? { type: 'number', min: '1', max: '200' } : {}) }));
    // What was drawn is no change: nobody is asked about it when he leaves.
    made.defaultValue = of[name];
    made.addEventListener('input', () => { of[name] = made.value; keep(); });
    wrap.append(node('span', { class: 'muted small' }, label), made);
    return wrap;
  }

  function upload(block, name) {
    const wrap = node('label', { class: 'block-field' });
    const made = /** @type {HTMLInputElement} */ (node('input', { class: 'input', type: 'file', accept: 'image/png,image/jpeg,image/gif' }));
    made.addEventListener('change', async () => {
      if (!made.files?.length) return;
      const body = new FormData();
      body.append('file', made.files[0]);
      const answer = await fetch('/p/mailings/pictures', { method: 'POST', body, headers: { 'x-csrf-token': token, accept: 'application/json' } });
      const found = await answer.json().catch(() => ({}));
      if (answer.ok) change(() => { block[name] = found.url; }, block);
      else made.setCustomValidity(found.detail || String(answer.status)), made.reportValidity();
    });
    wrap.append(node('span', { class: 'muted small' }, said.upload), made);
    return wrap;
  }

  function act(label, sign, step, extra = {}) {
    const made = node('button', { type: 'button', class: 'btn quiet icon-only', 'aria-label': label, title: label, ...extra }, typeof sign === 'string' ? icon(sign) : sign);
    if (step) made.addEventListener('click', step);
    return made;
  }

  function move(row, by) {
    const { of, n } = /** @type {any} */ (places.get(row));
    const block = of[n];
    if (!of[n + by]) return;
    const on = document.activeElement?.getAttribute('data-act');
    change(() => { of.splice(n + by, 0, of.splice(n, 1)[0]); }, block, on ? '[data-act="' + on + '"]' : undefined);
  }

  function double(row) {
    const { of, n } = /** @type {any} */ (places.get(row));
    const copy = structuredClone(of[n]);
    change(() => { of.splice(n + 1, 0, copy); }, copy);
  }

  function remove(row) {
    const { of, n } = /** @type {any} */ (places.get(row));
    const block = of[n];
    const before = structuredClone(blocks);
    change(() => { of.splice(n, 1); }, of[n + 1] || of[n - 1]);
    if (!of.length) add.focus();
    toast(said.removed, () => change(() => { blocks.splice(0, blocks.length, ...before); }, null));
    return block;
  }

  function colours(block) {
    const box = /** @type {HTMLDetailsElement} */ (node('details', { class: 'block-colours' }, node('summary', {}, said.colours)));
    box.open = Boolean(block.color || block.background);
    const pair = node('div', { class: 'block-pair' });
    for (const [name, label] of [['color', said.color], ['background', said.background]]) {
      const wrap = node('div', { class: 'block-colour' });
      const text = input(block, name, label);
      const line = /** @type {HTMLInputElement} */ (text.querySelector('input'));
      line.placeholder = '#2457d6';
      line.pattern = '#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})';
      const pick = /** @type {HTMLInputElement} */ (node('input', { type: 'color', 'aria-label': label + ': ' + said.choose }));
      const show = () => { pick.defaultValue = pick.value = /^#[0-9a-f]{6}$/i.test(block[name]) ? block[name] : name === 'color' ? '#222222' : '#ffffff'; };
      show();
      line.addEventListener('input', show);
      pick.addEventListener('input', () => { line.value = block[name] = pick.value; keep(); });
      wrap.append(text, pick);
      pair.append(wrap);
    }
    box.append(pair);
    return box;
  }

  function links(block) {
    const made = block.links.map((link, n) => node('div', { class: 'block-pair' }, input(link, 'name', said.name), input(link, 'address', said.address),
      act(said.removeLink, 'x', () => change(() => { block.links.splice(n, 1); if (!block.links.length) block.links.push({ name: '', address: '' }); }, block))));
    const more = node('button', { type: 'button', class: 'btn small quiet' }, icon('plus'), said.addLink);
    more.addEventListener('click', () => change(() => { block.links.push({ name: '', address: 'https://' }); }, block, '.block-pair:last-of-type .input'));
    return [...made, more];
  }

  function columns(block) {
    const count = /** @type {HTMLSelectElement} */ (node('select', { class: 'select input' }, ...[2, 3, 4].map((n) => node('option', { value: String(n), ...(n === block.columns.length ? { selected: '' } : {}) }, String(n)))));
    count.addEventListener('change', () => change(() => {
      const wanted = Number(count.value);
      while (block.columns.length < wanted) block.columns.push([]);
      // What stood in a column that goes is kept in the last one.
      while (block.columns.length > wanted) { const last = block.columns.pop(); block.columns[block.columns.length - 1].push(...last); }
    }, block, '.block-field select'));
    const boxes = block.columns.map((part, n) => {
      const title = said.column.replace('{n}', String(n + 1));
      const inside = node('div', { class: 'blocks', role: 'list', 'aria-label': title });
      drawn.set(inside, part);
      inside.append(...part.map((one, m) => rowFor(part, one, m, true)));
      return node('div', { class: 'block-column' }, node('div', { class: 'block-head' }, node('strong', { class: 'small' }, title), adder(part, said.addTo.replace('{n}', String(n + 1)), true)), inside);
    });
    return [node('label', { class: 'block-field' }, node('span', { class: 'muted small' }, said.howMany), count), node('div', { class: 'block-columns' }, ...boxes)];
  }

  function adder(of, label, small = false) {
    const made = node('button', { type: 'button', class: 'btn' + (small ? ' small quiet' : '') }, ...(small ? [icon('plus')] : []), label);
    made.addEventListener('click', () => { const block = fresh(); change(() => { of.push(block); }, block); });
    return made;
  }

  function fields(block) {
    const kind = block.kind;
    if (kind === 'line') return [];
    if (kind === 'space') return [input(block, 'size', said.size, 'number')];
    if (kind === 'columns') return columns(block);
    if (kind === 'social') return links(block);
    if (kind === 'raw') return [input(block, 'text', said.raw, 'code')];
    if (kind === 'product') {
      const link = block.links[0] || (block.links = [{ name: '', address: '' }])[0];
      return [input(block, 'text', said.name), node('div', { class: 'block-pair' }, input(block, 'price', said.price), input(block, 'more', said.more, 'long')),
        node('div', { class: 'block-pair' }, input(block, 'picture', said.picture), input(block, 'alt', said.alt)), upload(block, 'picture'),
        node('div', { class: 'block-pair' }, input(link, 'name', said.button), input(link, 'address', said.address))];
    }
    const made = [input(block, 'text', kind === 'picture' ? said.alt : said.words, kind === 'text' ? 'long' : '')];
    if (kind === 'picture' || kind === 'button') made.push(input(block, 'address', said.address));
    if (kind === 'picture') made.push(upload(block, 'address'));
    return made;
  }

  function turn(block, kind) {
    if (kind === 'columns') { const kept = { ...structuredClone(block), columns: [] }; Object.assign(block, fresh(kind)); if (kept.text) block.columns[0].push(kept); } else block.kind = kind;
    if (kind === 'social' && !block.links.length) block.links.push({ name: '', address: '' });
  }

  function rowFor(of, block, n, nested) {
    const row = node('div', { class: 'block', role: 'listitem', 'aria-label': kinds[block.kind] || block.kind });
    places.set(row, { of, n });
    const kind = /** @type {HTMLSelectElement} */ (node('select', { class: 'select input', 'aria-label': said.kind }));
    for (const [key, label] of Object.entries(kinds)) if (!(nested && key === 'columns')) kind.append(node('option', { value: key, ...(key === block.kind ? { selected: '' } : {}) }, String(label)));
    kind.addEventListener('change', () => change(() => turn(block, kind.value), block));
    const handle = node('span', { class: 'block-handle', title: said.drag, 'aria-hidden': 'true' }, '⠿');
    carry(handle, row);
    const acts = node('span', { class: 'block-acts' },
      act(said.up, 'chevron-up', () => move(row, -1), { 'data-act': 'up' }), act(said.down, 'chevron-down', () => move(row, 1), { 'data-act': 'down' }),
      act(said.double, 'copy', () => double(row)), act(said.remove, 'x', () => remove(row)));
    row.append(node('div', { class: 'block-head' }, node('span', { class: 'block-kind' }, handle, kind), acts), ...fields(block));
    if (COLOURED.includes(block.kind)) row.append(colours(block));
    row.addEventListener('keydown', (event) => keys(event, row));
    return row;
  }

  function keys(event, row) {
    // A row of a column hears its keys first.
    if (event.defaultPrevented) return;
    const typing = /** @type {HTMLElement} */ (event.target).matches('input, textarea');
    const plain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    const known = { up: event.altKey && event.code === 'ArrowUp', down: event.altKey && event.code === 'ArrowDown', double: (event.ctrlKey || event.metaKey) && event.code === 'KeyD', remove: plain && event.code === 'Delete' && !typing };
    const what = Object.keys(known).find((name) => known[name]);
    if (!what) return;
    event.preventDefault();
    if (what === 'double') double(row);
    else if (what === 'remove') remove(row);
    else move(row, what === 'up' ? -1 : 1);
  }

  const carry = carries(list, {
    takes: (row, box) => !(/** @type {any} */ (places.get(row)).of[/** @type {any} */ (places.get(row)).n].kind === 'columns' && box !== list),
    drop(row, box, before) {
      const from = /** @type {any} */ (places.get(row));
      const to = drawn.get(box) || blocks;
      const block = from.of[from.n];
      const next = before ? /** @type {any} */ (places.get(before)) : null;
      const anchor = next ? next.of[next.n] : null;
      change(() => { from.of.splice(from.n, 1); to.splice(anchor ? to.indexOf(anchor) : to.length, 0, block); }, block);
    },
  });

  function draw() {
    drawn.set(list, blocks);
    list.replaceChildren(...blocks.map((block, n) => rowFor(blocks, block, n, false)));
  }

  const add = adder(blocks, said.add);
  const code = node('button', { type: 'button', class: 'btn', 'aria-pressed': 'false' }, said.code);
  const box = node('div', { class: 'block-editor', role: 'group', 'aria-label': said.blocks });
  const show = (asCode) => {
    if (!asCode) { blocks.splice(0, blocks.length, ...read(area.value)); draw(); }
    code.setAttribute('aria-pressed', String(asCode));
    field.hidden = !asCode; list.hidden = add.hidden = asCode;
  };
  code.addEventListener('click', () => show(code.getAttribute('aria-pressed') !== 'true'));
  box.append(list, node('div', { class: 'acts' }, add, code));
  field.after(box);
  // Code of its own is not taken apart.
  show(/^\s*<(mjml|html|!doctype)/i.test(area.value));
}

for (const area of /** @type {NodeListOf<HTMLTextAreaElement>} */ (document.querySelectorAll('textarea[data-blocks]'))) if (!area.disabled) editor(area);
