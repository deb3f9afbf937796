// @ts-check
// Notices on this device are for whoever is logged in here, and asked for them here: whoever logs out
// is not called any more, and whoever comes back is, without being asked anew.
const KEPT = 'hub-push';

/** Who asked here, and whom this browser is subscribed for. @returns {{asked: string[], holder: string}} */
function kept() {
  try {
    const { asked, holder } = JSON.parse(localStorage.getItem(KEPT) || '{}');
    return { asked: Array.isArray(asked) ? asked : [], holder: holder || '' };
  } catch { return { asked: [], holder: '' }; }
}
function keep(state) {
  try { localStorage.setItem(KEPT, JSON.stringify(state)); } catch { /* then he is asked anew */ }
}

/** Note that somebody wants to be called here, or does not any more. */
export function wish(user, wanted) {
  const state = kept();
  const asked = state.asked.filter((one) => one !== user);
  keep({ ...state, asked: wanted ? [...asked, user] : asked, holder: wanted ? user : state.holder });
}

/** End what this browser is subscribed to, and take away what it shows of it. */
export async function release() {
  const worker = await navigator.serviceWorker?.getRegistration();
  await (await worker?.pushManager?.getSubscription())?.unsubscribe();
  for (const one of await worker?.getNotifications?.() || []) one.close();
  const state = kept();
  if (state.holder) keep({ ...state, holder: '' });
}

/** The key as the browser wants it. */
function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
}

/** Let this browser be called for somebody, who allowed it. */
export async function subscribe(user) {
  const { post } = await import('hub/api');
  const answer = await fetch('/api/v1/notices/push', { headers: { Accept: 'application/json' } });
  const { public_key: key } = await answer.json();
  const { pushManager } = await navigator.serviceWorker.ready;
  // One for another key, or another person, is of no use to anybody.
  await (await pushManager.getSubscription())?.unsubscribe();
  const { endpoint, keys } = (await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) })).toJSON();
  await post('/api/v1/notices/push/devices', { endpoint, keys });
  wish(user, true);
}

async function settle(user) {
  const { asked, holder } = kept();
  if (holder === user || !(holder || asked.length)) return;
  await release();
  if (asked.includes(user) && Notification.permission === 'granted') await subscribe(user);
}

/** Make this browser's subscription that of the one who is logged in; one tab does it. */
export async function settled() {
  const me = document.querySelector('meta[name="me"]')?.getAttribute('content');
  // Under borrowed eyes it is somebody else's browser.
  if (!me || document.getElementById('eyes')) return;
  try { await (navigator.locks ? navigator.locks.request(KEPT, () => settle(me)) : settle(me)); } catch { /* the next page tries again */ }
}
