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
