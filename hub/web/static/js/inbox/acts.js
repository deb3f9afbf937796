// @ts-check
// What buttons and keys do with the open dialog: its state, its people, its messages.
import { _ } from 'hub/i18n';
import { act, complain, hideMenus, post, toast } from 'hub/api';
import { bind, keysWait } from 'hub/keys';
import { ask, choose } from 'hub/sheet';
import { focusComposer, messenger, quote } from 'hub/inbox/composer';
import { drawPresets, instant } from 'hub/inbox/times';
import { current, entries, log, marking, older, refresh, root, toEnd, toList, toNext, unseen } from 'hub/inbox/thread';

const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
const card = /** @type {HTMLElement} */ (document.getElementById('card-pane'));
const me = document.querySelector('meta[name="me"]')?.getAttribute('content') || '';
let message = '';

/** What is done now and then; whatever is typed until it is there is for it. */
const seldom = (run) => keysWait(import('hub/inbox/seldom').then((all) => { run(all); return true; }).catch(complain), true);
/** Who the person is, as well. */
const person = (run) => import('hub/inbox/person').then(run).catch(complain);

/** Carry out one verb on the open dialog. */
export async function change(verb, body, undo = null, text = '') {
  hideMenus();
  try {
    const answer = await act(verb, { dialog: current(), ...body });
    if (text) toast(text, undo);
    return answer.result;
  } catch (error) { complain(error); return undefined; }
}

/** What brings a dialog back into the state in which it stands open now. */
export function back(id) {
  const before = root()?.dataset.status === 'waiting' ? 'waiting' : 'open';
  return () => act('status', { dialog: id, status: before }).catch(complain);
}

function close() {
  const id = current();
  if (root()?.dataset.status === 'closed') { toNext(id); return; }
  change('status', { status: 'closed' }, back(id), _('Closed'));
  toNext(id);
}

function snooze(word) {
  const id = current();
  const until = instant(word, /** @type {any} */ (document.getElementById('snooze-at')));
  if (!until) { toast(_('Choose a time that is still to come.')); return; }
  change('snooze', { until: String(until) }, back(id), _('Snoozed'));
  toNext(id);
}

function assign(user) { change('assign', { user }, null, user === '0' ? _('Nobody has it now') : _('Assigned')); }

function mute() {
  const id = current();
  const muted = root()?.dataset.muted !== 'yes';
  change('mute', { muted }, () => act('mute', { dialog: id, muted: !muted }).then(refresh).catch(complain), muted ? _('Muted') : _('Not muted any more')).then(refresh);
}

function unread(from = '') {
  const all = [...pane.querySelectorAll('.msg[data-message]')];
  const here = all.findIndex((one) => one.getAttribute('data-message') === from);
  const before = here > 0 ? all[here - 1].getAttribute('data-message') : '';
  unseen();
  const id = current();
  marking.then(() => change(before ? 'read' : 'unread', { dialog: id, ...(before ? { message: before } : {}) }, null, _('Marked unread'))).then(() => document.dispatchEvent(new CustomEvent('hub:row', { detail: id })));
  toList();
}

async function tags() {
  hideMenus();
  const known = [...document.querySelectorAll('[data-tag-name]')].map((one) => one.getAttribute('data-tag-name'));
  const text = await ask(_('Tags'), '', _('Several are separated by commas.'), known);
  if (text) change('tag', { add: text.split(',').map((one) => one.trim()).filter(Boolean) });
}

async function request() {
  hideMenus();
  const made = await change('request', {});
  if (made) location.href = '/requests/' + made;
}

async function task(from = '') {
  hideMenus();
  const dialog = current();
  const text = await ask(_('A new task'), '', _('What to do and when: call Anna tomorrow 15:00'));
  if (!text) return;
  try {
    await post('/day/task', { text, dialog, message: from });
    toast(_('The task is in your day'));
  } catch (error) { complain(error); }
}

async function block(button) {
  hideMenus();
  const address = button.dataset.block;
  if (button.dataset.blocked) { change('block', { address, reason: '' }, null, _('Unblocked')); return; }
  const reason = await ask(_('Why block?'), _('spam'), _('New messages of this sender will be dropped.'));
  if (reason !== null) change('block', { address, reason: reason || _('spam') }, () => act('block', { address, reason: '' }).catch(complain), _('Blocked: new messages are dropped'));
}

/** Take a message back and put its text into the composer again. */
export async function cancel(id) {
  const text = /** @type {HTMLTextAreaElement | null} */ (pane.querySelector('#text'));
  try {
    const answer = await act('cancel', { message: id });
    pane.querySelector('#m-' + id)?.remove();
    if (text && !text.value) { text.value = answer.result || ''; text.dispatchEvent(new Event('input', { bubbles: true })); text.focus(); }
  } catch (error) { complain(error); }
}

async function find() {
  hideMenus();
  const id = current();
  const one = await choose(_('Find in the dialog'), _('A word of it'), async (text, done) => {
    if (text.length < 2) { done([]); return; }
    const answer = await fetch('/inbox/dialog/' + id + '/find?q=' + encodeURIComponent(text), { headers: { Accept: 'application/json' } });
    done(answer.ok ? await answer.json() : []);
  });
  if (one?.message) show(one.message);
}

function show(id) {
  const found = pane.querySelector('#m-' + id);
  if (found) { found.scrollIntoView({ block: 'center' }); found.classList.add('found'); return; }
  document.dispatchEvent(new CustomEvent('hub:open', { detail: { dialog: current(), message: id } }));
}

function toggleCard() {
  const box = document.getElementById('inbox');
  const small = matchMedia('(max-width: 1180px)').matches;
  box?.classList.toggle(small ? 'show-card' : 'no-card');
  try { if (!small) localStorage.setItem('no-card', box?.classList.contains('no-card') ? '1' : ''); } catch { /* private mode */ }
}

function messageMenu(button) {
  const node = button.closest('.msg');
  const menu = /** @type {any} */ (pane.querySelector('#message-menu'));
  if (!node || !menu) return;
  message = node.dataset.message || '';
  const inbound = node.dataset.kind === 'in';
  menu.querySelector('[data-do="raw"]').href = '/mail/' + message + '/raw';
  menu.querySelector('[data-do="raw"]').hidden = !inbound;
  for (const what of ['unread-from', 'label']) { const one = menu.querySelector('[data-do="' + what + '"]'); if (one) one.hidden = !inbound; }
  messenger()?.menuFor(menu, node);
  menu.showPopover({ source: button });
  const at = button.getBoundingClientRect();
  const box = menu.getBoundingClientRect();
  menu.style.left = Math.max(8, Math.min(at.left, innerWidth - box.width - 8)) + 'px';
  menu.style.top = (at.bottom + box.height + 4 < innerHeight ? at.bottom + 4 : Math.max(8, at.top - box.height - 4)) + 'px';
}

const textOf = () => pane.querySelector('#m-' + message + ' .bubble > .text')?.textContent || '';

/** The verbs of `data-do`. @type {Record<string, (button: any, event: Event) => void>} */
const VERBS = {
  older: (button) => older(button.closest('[data-older]')),
  back: (button, event) => { event.preventDefault(); toList(); },
  'to-end': () => toEnd(),
  close,
  reopen: () => change('status', { status: 'open' }),
  waiting: () => change('status', { status: 'waiting' }, back(current()), _('Waiting for the client')),
  card: toggleCard,
  unread: () => unread(),
  mute,
  tags,
  subject: (button) => seldom((all) => all.subject(button.dataset.subject || '')),
  merge: (button) => seldom((all) => all.merge(button.dataset.merge)),
  request,
  task: () => task(),
  'task-from': () => task(message),
  split: () => seldom((all) => all.split(message)),
  'split-at': () => seldom((all) => all.split()),
  find,
  snooze: () => { hideMenus(); /** @type {any} */ (document.getElementById('snooze-menu'))?.showPopover(); },
  'add-address': (button) => seldom((all) => all.addAddress(button)),
  'message-menu': messageMenu,
  label: (button) => seldom((all) => all.label(button.dataset.message || message, button.dataset.label || '')),
  quote: () => { hideMenus(); quote(textOf()); },
  'copy-text': () => { hideMenus(); copy(textOf()); },
  'copy-link': () => { hideMenus(); copy(location.origin + '/inbox/' + current()); },
  'unread-from': () => unread(message),
};

async function copy(text) {
  try { await navigator.clipboard.writeText(text); toast(_('Copied'), null, 2); } catch { toast(_('This browser does not let us copy here.')); }
}

async function click(event) {
  const button = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('button, a'));
  if (!button || !current()) return;
  const data = button.dataset;
  if (data.do && VERBS[data.do]) VERBS[data.do](button, event);
  else if (data.assign !== undefined) assign(data.assign);
  else if (data.team !== undefined) change('assign', { user: '0', team: data.team }, null, _('Assigned'));
  else if (data.priority !== undefined) change('priority', { priority: data.priority });
  else if (data.snooze) snooze(data.snooze);
  else if (data.untag) change('tag', { remove: [data.untag] });
  else if (data.block) block(button);
  else if (data.retry) change('retry', { message: data.retry, even_if_unknown: data.unknown === 'yes' });
  else if (data.fetch) change('fetch', { file: data.fetch });
  else if (data.cancel) cancel(data.cancel);
  else if (data.jump) show(data.jump);
  else if (data.same || data.other || data.said || data.do?.startsWith('person')) person((all) => all.press(button));
  else if (data.attempts) seldom((all) => all.attempts(data.attempts));
}

async function saveContact(event) {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const box = /** @type {HTMLElement | null} */ (card.querySelector('.card'));
  if (!box?.dataset.contact || !input.name || input.value === input.dataset.was) return;
  try {
    const answer = await act('contact', { contact: box.dataset.contact, version: box.dataset.version, [input.name]: input.value });
    box.dataset.version = String(answer.result || box.dataset.version);
    input.dataset.was = input.value;
    input.parentElement?.querySelector('.conflict')?.remove();
    toast(_('Saved'), null, 2);
  } catch (error) {
    if (error.status === 409) import('hub/inbox/conflict').then(({ conflict }) => conflict(input, saveContact)); else complain(error);
  }
}

async function unfold(event) {
  const details = /** @type {HTMLDetailsElement} */ (event.target);
  if (details.matches?.('.menu')) { drawPresets(details); import('hub/inbox/seldom'); }
  if (!details.open) return;
  const text = details.querySelector('[data-full-text]');
  if (details.dataset.full && text && !text.textContent) {
    const answer = await fetch('/inbox/message/' + details.dataset.full + '/text', { headers: { Accept: 'application/json' } });
    if (answer.ok) text.textContent = (await answer.json()).text;
  }
  const place = details.querySelector('[data-html-frame]');
  if (details.dataset.html && place && !place.firstChild) seldom((all) => all.frame(place, details.dataset.html));
}

/** Start to listen. */
export function startActs() {
  document.addEventListener('click', click);
  document.addEventListener('toggle', unfold, true);
  card.addEventListener('change', saveContact);
  const group = _('Dialog');
  const has = { when: () => Boolean(current()), waits: true };
  const answers = { when: () => Boolean(current() && pane.querySelector('#snooze-menu')), waits: true };
  const menu = (name) => /** @type {any} */ (document.getElementById(name))?.showPopover();
  bind('Shift+T', _('A task about this dialog'), group, () => task(), has);
  bind('Shift+Q', _('Create a request'), group, request, has);
  bind('R', _('Answer'), group, () => focusComposer('reply'), answers);
  bind('Shift+R', _('Write a note'), group, () => focusComposer('note'), has);
  bind('Alt+L', _('Answer, also while typing'), group, () => focusComposer('reply'), { ...answers, typing: true });
  bind('Alt+P', _('Note, also while typing'), group, () => focusComposer('note'), { ...has, typing: true });
  bind('Shift+D', _('Create an interest'), group, () => /** @type {HTMLElement | null} */ (card.querySelector('[data-interest]'))?.click(), has);
  bind('E', _('Close the dialog'), group, close, answers);
  bind('Alt+E', _('Close, also while typing'), group, close, { ...answers, typing: true });
  bind('A', _('Assign'), group, () => menu('assign-menu'), answers);
  bind('I', _('Assign to me'), group, () => assign(me), answers);
  bind('S', _('Snooze'), group, () => menu('snooze-menu'), answers);
  bind('W', _('Waiting for the client'), group, () => VERBS.waiting(null, new Event('')), answers);
  bind('L', _('Tags'), group, tags, answers);
  bind('U', _('Mark unread'), group, () => unread(), has);
  bind('M', _('Mute'), group, mute, has);
  bind('Q', _('Quote the last message'), group, () => { message = [...(entries()?.querySelectorAll('.msg.in[data-message]') || [])].pop()?.getAttribute('data-message') || ''; quote(textOf()); }, answers);
  bind('F', _('Find in the dialog'), group, find, has);
  bind('B', _('Block the sender'), group, () => { const button = pane.querySelector('[data-block]'); if (button) block(button); }, answers);
  bind('.', _('More actions'), group, () => menu('more-menu'), has);
  bind(']', _('Fold the client card'), group, toggleCard, has);
  bind('P', _('Everything of this person'), group, () => person((all) => all.togglePerson()), has);
  const suggested = () => /** @type {HTMLElement | null} */ (card.querySelector('[data-first]'));
  bind('Y', _('It is the suggested person'), group, () => suggested()?.click(), { when: () => Boolean(suggested()) });
  bind('Home', _('The earliest message shown'), group, () => { const box = log(); if (box) box.scrollTop = 0; }, has);
  bind('End', _('The newest message'), group, () => toEnd(), has);
}
