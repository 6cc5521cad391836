/*
 * Keeps the app, the list of methods and the bundles that were used, so that the app works with the network off.
 * No image passes through here: the device's own segmentation makes no request, and uploads are not GET requests.
 */
const KEPT = "breastseg-1";

/** What is kept: the app itself, the methods with their remarks, the bundles. Never a scan. */
function isKept({ pathname }) {
  return !pathname.startsWith("/api/") || pathname === "/api/methods";
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin || !isKept(url)) return;
  event.respondWith(url.pathname.startsWith("/assets/") ? keptFirst(event.request) : networkFirst(event.request));
});

/** Names under assets/ hold a digest of their content: what is kept is right. */
async function keptFirst(request) {
  const cache = await caches.open(KEPT);
  return (await cache.match(request)) ?? fetched(cache, request);
}

async function networkFirst(request) {
  const cache = await caches.open(KEPT);
  try {
    return await fetched(cache, request);
  } catch (error) {
    const kept = await cache.match(request);
    if (kept === undefined) throw error;
    return kept;
  }
}

async function fetched(cache, request) {
  const response = await fetch(request);
  if (response.ok && response.status === 200) await cache.put(request, response.clone());
  return response;
}
