// @ts-check
// The light markup of a letter as blocks, and back. The server reads it by the same rules (blocks.py).
const NAMED = /^:::[ \t]*([a-z]+)\b(.*)$/;
const COLOURED = /^\{\s*((?:(?:color|background)=[^\s{}]*\s*)+)\}$/;
const FILLED = '(?:\\{\\{[^{}]*\\}\\}|\\S)';
const PICTURE = new RegExp('^!\\[([^\\]\\n]*)\\]\\((' + FILLED + '*?)\\)$');
const BUTTON = new RegExp('^\\[\\[([^|\\]\\n]*)\\|(' + FILLED + '*?)\\]\\]$');
const HOLDING = ['columns', 'social', 'product', 'raw'];

/** A block with nothing in it. */
export function fresh(kind = 'text') {
  return { kind, text: '', address: '', color: '', background: '', size: '24', alt: '', picture: '', price: '', more: '', links: [{ name: '', address: '' }], columns: kind === 'columns' ? [[], []] : [] };
}

function coloured(block, given) {
  for (const [, name, value] of given.matchAll(/(color|background)=(\S*)/g)) block[name] = value;
  return block;
}

/** Take a letter apart. */
export function read(markup) {
  return readLines(markup.replaceAll('\r\n', '\n').split('\n'));
}

function readLines(lines) {
  const found = [];
  let waiting = [];
  const end = () => {
    const part = waiting.join('\n').trim();
    if (part) found.push(written(part));
    waiting = [];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at].trim();
    const named = NAMED.exec(line);
    if (named) {
      end();
      const from = at + 1;
      if (HOLDING.includes(named[1])) at = closed(lines, from, named[1] === 'columns');
      found.push(namedBlock(named[1], named[2], lines.slice(from, at)));
    } else if (!line) end();
    else waiting.push(lines[at]);
  }
  end();
  return found;
}

/** Where the block that begins at a line is closed. */
function closed(lines, from, nested) {
  let depth = 1;
  for (let n = from; n < lines.length; n++) {
    const line = lines[n].trim();
    if (line === ':::') depth--;
    else if (nested && HOLDING.includes(NAMED.exec(line)?.[1] || '')) depth++;
    if (!depth) return n;
  }
  return lines.length;
}

function namedBlock(kind, given, body) {
  const block = coloured(fresh(kind), given);
  if (kind === 'space') block.size = /^\s*(\d+)/.exec(given)?.[1] || '24';
  if (kind === 'raw') block.text = body.join('\n').trim();
  if (kind === 'social') {
    block.links = body.map((line) => line.trim()).filter(Boolean).map((line) => {
      const [, name, address] = new RegExp('^(.+?)[ \\t]+(' + FILLED + '+)$').exec(line) || ['', line, ''];
      return { name, address };
    });
  }
  if (kind === 'product') product(block, body.map((line) => line.trim()).filter(Boolean));
  if (kind === 'columns') {
    const parts = [[]];
    let depth = 0;
    for (const line of body) {
      if (HOLDING.includes(NAMED.exec(line.trim())?.[1] || '')) depth++;
      else if (line.trim() === ':::') depth--;
      if (line.trim() === '+++' && !depth) parts.push([]);
      else parts[parts.length - 1].push(line);
    }
    block.columns = parts.map((part) => readLines(part));
  }
  return block;
}

function product(block, lines) {
  const words = [];
  block.links = [{ name: '', address: '' }];
  for (const line of lines) {
    const picture = PICTURE.exec(line);
    const button = BUTTON.exec(line);
    if (picture && !block.picture) [, block.alt, block.picture] = picture;
    else if (button && !block.links[0].name) block.links = [{ name: button[1], address: button[2] }];
    else words.push(line);
  }
  [block.text = '', block.price = ''] = words.map((text) => (text === '-' ? '' : text));
  block.more = words.slice(2).join('\n');
}

function written(part) {
  const block = fresh();
  const [first, ...rest] = part.split('\n');
  const chosen = COLOURED.exec(first.trim());
  if (chosen) { coloured(block, chosen[1]); part = rest.join('\n').trim(); }
  const picture = PICTURE.exec(part);
  const button = BUTTON.exec(part);
  if (part === '---') block.kind = 'line';
  else if (picture) Object.assign(block, { kind: 'picture', text: picture[1], address: picture[2] });
  else if (button) Object.assign(block, { kind: 'button', text: button[1], address: button[2] });
  else if (part.startsWith('#')) Object.assign(block, { kind: 'heading', text: part.replace(/^#+\s*/, '') });
  else block.text = part;
  return block;
}

const line = (text) => text.replace(/\s*\n+\s*/g, ' ').trim();
// A line of three colons would end the block.
const held = (text) => text.replace(/^[ \t]*:::.*$/gm, '').trim();
const coloursOf = (block) => ['color', 'background'].filter((name) => block[name]).map((name) => name + '=' + block[name]).join(' ');

/** Write blocks as the markup. */
export function write(blocks) {
  return blocks.map(one).filter((part) => part.trim()).join('\n\n');
}

function one(block) {
  const colours = coloursOf(block);
  const named = (body) => '::: ' + block.kind + (colours ? ' ' + colours : '') + '\n' + body + '\n:::';
  if (block.kind === 'space') return '::: space ' + (parseInt(block.size, 10) || 24);
  if (block.kind === 'raw') return named(held(block.text));
  if (block.kind === 'columns') return named(block.columns.map((part) => write(part)).join('\n+++\n'));
  if (block.kind === 'social') return named(block.links.filter((link) => link.name || link.address).map((link) => line(link.name) + ' ' + link.address.trim()).join('\n'));
  if (block.kind === 'product') {
    const button = block.links[0];
    return named([
      block.picture && '![' + line(block.alt) + '](' + block.picture.trim() + ')',
      line(block.text) || '-', line(block.price) || (block.more.trim() && '-'), held(block.more).replace(/\n\s*\n+/g, '\n'),
      button?.name && '[[' + line(button.name) + '|' + button.address.trim() + ']]',
    ].filter(Boolean).join('\n'));
  }
  const text = plain(block);
  return text && colours ? '{' + colours + '}\n' + text : text;
}

function plain(block) {
  if (block.kind === 'line') return '---';
  if (block.kind === 'picture') return '![' + line(block.text) + '](' + block.address.trim() + ')';
  if (block.kind === 'button') return '[[' + line(block.text) + '|' + block.address.trim() + ']]';
  if (block.kind === 'heading') return block.text.trim() && '# ' + line(block.text);
  return held(block.text).replace(/\n\s*\n+/g, '\n');
}
