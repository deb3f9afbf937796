// @ts-check
// The live stream: one per browser. A leader tab (by lock, or by a lease in localStorage where
// locks do not exist: plain http in a LAN) holds it and passes everything on to the others.
import { post } from 'hub/api';

const CHANNEL = 'hub-live';
const LEASE = 'hub-live-lease';
const LEASE_MS = 3000;
const me = Math.random().toString(36).slice(2);
const user = document.querySelector('meta[name="me"]')?.getAttribute('content') || '';
const bus = new BroadcastChannel(CHANNEL + user);

/** @type {Set<(items: any[]) => void>} */
const listeners = new Set();
/** @type {Set<(state: string) => void>} */
const watchers = new Set();
/** Which dialogs every tab has open. @type {Map<string, {dialogs: string[], at: number}>} */
const tabs = new Map();
const first = /** @type {HTMLElement | null} */ (document.querySelector('.thread[data-position]'));
let mine = first ? [first.dataset.dialog + ':' + first.dataset.position] : [];
let leader = false;
let source = null;
let connection = '';
// What this page has seen already: from there the stream goes on, so that nothing falls between.
let lastId = document.querySelector('meta[name="live"]')?.getAttribute('content') || '';
const drawnAt = lastId;
let joined = false;
let state = 'connecting';
let lostAt = 0;
let attempt = 0;
let retryTimer = 0;
let lastBeat = Date.now();
let told = false;

/** Hear every batch of items. Whoever comes after the first one has missed it, and is told so. */
export function onItems(listener) {
  listeners.add(listener);
  if (told) queueMicrotask(() => hand(listener, [{ k: 'resync' }]));
  return () => listeners.delete(listener);
}
/** Hear when the connection changes: live, lost. */
export function onState(listener) { watchers.add(listener); listener(state); return () => watchers.delete(listener); }
/** Say which dialogs this tab has open, as `<id>:<the fact at which it was drawn>`. */
export function watchDialogs(dialogs) {
  mine = dialogs;
  tabs.set(me, { dialogs, at: Date.now() });
  bus.postMessage({ type: 'watch', tab: me, dialogs });
  if (leader) sendWatch();
}
/** Try to connect now. */
export function reconnect() {
  if (leader) { attempt = 0; connect(); } else bus.postMessage({ type: 'reconnect' });
}
/** Whether this tab holds the stream (it alone shows notifications). */
export function isLeader() { return leader; }

function setState(next) {
  if (next === state) return;
  state = next;
  lostAt = next === 'live' ? 0 : Date.now();
  for (const one of watchers) one(next);
}
export function lostFor() { return lostAt ? Date.now() - lostAt : 0; }

function hand(listener, items) {
  try { listener(items); } catch (error) { console.error('live', error); }
}

function deliver(items) {
  told = true;
  for (const one of listeners) hand(one, items);
}

function watched() {
  const now = Date.now();
  const all = new Set(mine);
  for (const [tab, known] of tabs) {
    if (now - known.at > 60000 && tab !== me) tabs.delete(tab);
    else for (const one of known.dialogs) all.add(one);
  }
  return [...all];
}

let watchTimer = 0;
function sendWatch() {
  clearTimeout(watchTimer);
  watchTimer = window.setTimeout(async () => {
    if (!connection) return;
    try { await post('/live/watch', { connection, dialogs: watched() }); } catch { /* the next connection carries them */ }
  }, 30);
}

function connect() {
  clearTimeout(retryTimer);
  source?.close();
  const url = '/live?dialogs=' + encodeURIComponent(watched().join(',')) + (lastId ? '&after=' + encodeURIComponent(lastId) : '');
  source = new EventSource(url);
  source.onmessage = (event) => {
    attempt = 0;
    lastBeat = Date.now();
    const before = lastId;
    if (event.lastEventId) lastId = event.lastEventId;
    const items = JSON.parse(event.data || '[]').filter((one) => {
      if (one.k !== 'hello') return true;
      connection = one.connection;
      sendWatch();
      return false;
    });
    setState('live');
    bus.postMessage({ type: 'items', items, lastId, before, state });
    if (items.length) deliver(items);
  };
  source.onerror = () => {
    // The browser tries again by itself when the line was cut; it gives up when it was refused.
    if (source?.readyState === EventSource.CLOSED) askWhetherIn();
    source?.close();
    source = null;
    connection = '';
    setState('lost');
    bus.postMessage({ type: 'state', state: 'lost' });
    const wait = Math.min(20000, 500 * 2 ** attempt) * (0.6 + Math.random() * 0.8);
    attempt += 1;
    retryTimer = window.setTimeout(connect, wait);
  };
}

/** A session that ended before the stream began is told by nobody: whoever is refused asks. */
async function askWhetherIn() {
  try {
    const answer = await fetch('/inbox/counters', { headers: { Accept: 'application/json' } });
    if (answer.status !== 401) return;
    const items = [{ k: 'session' }];
    bus.postMessage({ type: 'items', items, lastId: '', before: '', state: 'lost' });
    deliver(items);
  } catch { /* no network: the stream tries again */ }
}

function lead() {
  if (leader) return;
  leader = true;
  bus.postMessage({ type: 'who' });
  connect();
}

/** Another tab holds the stream now (this one slept too long). */
function stepDown() {
  if (!leader) return;
  leader = false;
  clearTimeout(retryTimer);
  source?.close();
  source = null;
}

function elect() {
  if (navigator.locks) {
    navigator.locks.request(CHANNEL + user, () => { lead(); return new Promise(() => {}); });
    return;
  }
  const tick = () => {
    let lease = null;
    try { lease = JSON.parse(localStorage.getItem(LEASE + user) || 'null'); } catch { lease = null; }
    const now = Date.now();
    if (lease && lease.until >= now && lease.tab !== me) { stepDown(); return; }
    localStorage.setItem(LEASE + user, JSON.stringify({ tab: me, until: now + LEASE_MS }));
    // Whoever still reads its own name after a moment has won.
    setTimeout(() => {
      const held = JSON.parse(localStorage.getItem(LEASE + user) || 'null');
      if (held?.tab === me) lead(); else stepDown();
    }, 60);
  };
  tick();
  setInterval(tick, LEASE_MS / 3);
}

bus.onmessage = (event) => {
  const data = event.data;
  if (data.type === 'items') {
    // A page that was drawn at another instant than the stream stands at reads itself again, once.
    if (!joined && drawnAt && data.before && data.before !== drawnAt) deliver([{ k: 'resync' }]);
    joined = true;
    if (data.lastId) lastId = data.lastId;
    setState(data.state);
    if (data.items.length) deliver(data.items);
  } else if (data.type === 'state') setState(data.state);
  else if (data.type === 'watch') { tabs.set(data.tab, { dialogs: data.dialogs, at: Date.now() }); if (leader) sendWatch(); }
  else if (data.type === 'join' && leader && source) bus.postMessage({ type: 'items', items: [], lastId, before: lastId, state });
  else if (data.type === 'who') bus.postMessage({ type: 'watch', tab: me, dialogs: mine });
  else if (data.type === 'reconnect' && leader) { attempt = 0; connect(); }
};

/** Start to listen. */
export function startLive() {
  bus.postMessage({ type: 'join' });
  elect();
  setInterval(() => { if (mine.length) bus.postMessage({ type: 'watch', tab: me, dialogs: mine }); }, 20000);
  // After sleep the stream may be dead without an error, and a dead network is silent: the hub
  // says something every 15 seconds.
  let seen = Date.now();
  setInterval(() => {
    const now = Date.now();
    const slept = now - seen > 8000 && !document.hidden;
    seen = now;
    if (leader && source && (slept || now - lastBeat > 40000)) { lastBeat = now; attempt = 0; connect(); }
  }, 2000);
  window.addEventListener('online', reconnect);
  window.addEventListener('offline', () => { if (leader) source?.onerror?.(new Event('error')); });
  window.addEventListener('pagehide', () => {
    bus.postMessage({ type: 'watch', tab: me, dialogs: [] });
    if (leader && !navigator.locks) localStorage.removeItem(LEASE + user);
    source?.close();
  });
  window.addEventListener('pageshow', (event) => { if (event.persisted && leader) connect(); });
}
