/**
 * Keeps the app and the chosen bundles, so that both work with the network off. Files of the app have names that
 * change with their contents: what is kept goes first. The page itself and bundles are asked of the network first.
 */
const worker = self as unknown as ServiceWorkerGlobalScope;

/** Names of all files of the app; the build puts them here. */
declare const FILES: string[];
/** Of this build; the build puts it here. */
declare const VERSION: string;

const APP = `app-${VERSION}`;
const BUNDLES = "bundles";

worker.addEventListener("install", (event) => {
  event.waitUntil(caches.open(APP).then((cache) => cache.addAll(["./", ...FILES])));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(removeOldVersions().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== worker.location.origin) return;
  if (request.mode === "navigate") event.respondWith(networkFirst(request, new Request("./")));
  else event.respondWith(keptFirst(request));
});

async function removeOldVersions(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== APP && name !== BUNDLES).map((name) => caches.delete(name)));
}

async function keptFirst(request: Request): Promise<Response> {
  const app = await caches.open(APP);
  return (await app.match(request)) ?? networkFirst(request, request);
}

/** The network's answer; without a network what is kept of `otherwise`. */
async function networkFirst(request: Request, otherwise: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(otherwise);
    if (kept) return kept;
    throw error;
  }
}
