// Static files by their hash are kept; pages always come from the network.
const NAME = 'hub-static-1';
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || !/^\/static\/.+\.[0-9a-f]{8}\.\w+$/.test(url.pathname)) return;
  event.respondWith(caches.open(NAME).then(async (cache) => {
    const known = await cache.match(event.request);
    if (known) return known;
    const answer = await fetch(event.request);
    if (answer.ok) cache.put(event.request, answer.clone());
    return answer;
  }));
});

// A notice: not where a page of the hub is being looked at, which says it by itself. Safari ends the
// subscription of whoever is sent something and shows nothing.
const mustShow = /AppleWebKit/.test(navigator.userAgent) && !/Chrome|Chromium/.test(navigator.userAgent);
const pages = () => self.clients.matchAll({ type: 'window', includeUncontrolled: true });
async function tell(word) {
  const open = await pages();
  if (!mustShow && open.some((one) => one.focused && one.visibilityState === 'visible')) return;
  for (const one of open) one.postMessage('pushed');
  await self.registration.showNotification(word.title, { body: word.body, icon: '/static/icon-192.png', badge: '/static/badge.png', tag: word.tag, renotify: true, lang: word.language, timestamp: word.at, data: word.path });
}
async function lead(path) {
  const there = new URL(path, self.location.origin);
  if (there.origin !== self.location.origin) return;
  const open = await pages();
  const one = open.find((page) => new URL(page.url).pathname === there.pathname) || open[0];
  if (!one) return void await self.clients.openWindow(there.href);
  const page = await one.focus();
  if (new URL(one.url).pathname !== there.pathname) await page.navigate(there.href).catch(() => self.clients.openWindow(there.href));
}
self.addEventListener('push', (event) => { if (event.data) event.waitUntil(tell(event.data.json())); });
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data));
});
