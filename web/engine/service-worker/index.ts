/**
 * Keeps the app and the list of methods, so that both are there with the network off; bundles are kept by the engine
 * where they are opened. Files of the app have names that change with their contents: what is kept goes first. The page
 * and the list are asked of the network first. No image passes through here: segmenting on the device makes no request,
 * and uploads are no GET requests.
 */
const worker = self as unknown as ServiceWorkerGlobalScope;

/** Names of all files of the app; the build puts them here. */
declare const FILES: string[];
/** Of this build; the build puts it here. */
declare const VERSION: string;

const APP = `app-${VERSION}`;
const USED = "used";
const BUNDLES = "bundles";

worker.addEventListener("install", (event) => {
  event.waitUntil(caches.open(APP).then((cache) => cache.addAll(["./", ...FILES])));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(removeOldVersions().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== worker.location.origin) return;
  if (request.mode === "navigate") event.respondWith(networkFirst(request, "./"));
  else if (pathname === "/api/methods") event.respondWith(networkThenUsed(request));
  else if (!pathname.startsWith("/api/") && !pathname.startsWith("/bundles/")) event.respondWith(keptFirst(request));
});

async function removeOldVersions(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => ![APP, USED, BUNDLES].includes(name)).map((name) => caches.delete(name)));
}

async function keptFirst(request: Request): Promise<Response> {
  const app = await caches.open(APP);
  return (await app.match(request)) ?? fetch(request);
}

/** The network's answer; without a network what is kept under an address. */
async function networkFirst(request: Request, address: RequestInfo): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(address);
    if (kept) return kept;
    throw error;
  }
}

/** The same, and the answer is kept. */
async function networkThenUsed(request: Request): Promise<Response> {
  const response = await networkFirst(request, request);
  if (response.ok) await (await caches.open(USED)).put(request, response.clone());
  return response;
}
