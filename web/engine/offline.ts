/** The app with the network off: its files are kept by a service worker, bundles where they are chosen. */

const BUNDLES = "bundles";
const FILES = ["bundle.json", "model.onnx"];

/**
 * Keep the app's files from now on.
 *
 * @returns whether that is possible: browsers allow it on https and on this machine alone.
 */
export async function keepApp(): Promise<boolean> {
  if (!("serviceWorker" in navigator)) return false;
  await navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI));
  await navigator.serviceWorker.ready;
  return true;
}

/** Keep a bundle for use without a network, in place of what was kept of it. */
export async function keepBundle(address: string): Promise<void> {
  const cache = await caches.open(BUNDLES);
  await cache.addAll(FILES.map((name) => fileOf(address, name)));
}

/** Keep it no longer. */
export async function dropBundle(address: string): Promise<void> {
  const cache = await caches.open(BUNDLES);
  await Promise.all(FILES.map((name) => cache.delete(fileOf(address, name))));
}

/** The addresses of the bundles that are kept. */
export async function keptBundles(): Promise<string[]> {
  const cache = await caches.open(BUNDLES);
  const ending = `/${FILES[1]}`;
  const addresses = (await cache.keys()).map(({ url }) => url);
  return addresses.filter((url) => url.endsWith(ending)).map((url) => url.slice(0, -ending.length));
}

function fileOf(address: string, name: string): string {
  return new URL(`${address.replace(/\/$/, "")}/${name}`, document.baseURI).href;
}
