/** The two files of a bundle that are needed to run it, from an address or from files. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { BundleSource } from "./api";
import { parseBundle, type Bundle } from "./bundle";
import { brief, EngineError } from "./errors";

const DESCRIPTION = "bundle.json";
const MODEL = "model.onnx";
/** Where what was fetched is kept for when the network is off; the service worker leaves it alone. */
const KEPT = "bundles";

/**
 * Read a bundle and check that its weights are the ones that it describes.
 *
 * @param onFraction told how much of the weights has come, 0 to 1, or null where that is not known.
 * @throws EngineError kind "bundle" or "unsupported".
 */
export async function readBundle(
  source: BundleSource,
  onFraction: (fraction: number | null) => void,
): Promise<{ bundle: Bundle; model: Uint8Array }> {
  const description = await bytesOf(source, DESCRIPTION, () => undefined);
  const bundle = parseBundle(new TextDecoder("utf-8", { fatal: true }).decode(description));
  const model = await bytesOf(source, MODEL, onFraction);
  const digest = bytesToHex(sha256(model));
  if (digest !== bundle.weightsSha256) {
    throw new EngineError(
      "bundle",
      `${MODEL} has the SHA-256 digest ${digest}`,
      `${bundle.weightsSha256}, as ${DESCRIPTION} says`,
      "copy the whole bundle again",
    );
  }
  return { bundle, model };
}

async function bytesOf(
  source: BundleSource,
  name: string,
  onFraction: (fraction: number | null) => void,
): Promise<Uint8Array> {
  if (typeof source !== "string" && !(source instanceof URL)) {
    const file = source.find((one) => one.name === name);
    if (!file) throw missing(name, "it is not among the files");
    return new Uint8Array(await file.arrayBuffer());
  }
  const address = `${String(source).replace(/\/$/, "")}/${name}`;
  const response = await responseOf(address, name);
  if (!response.ok || !response.body) throw missing(name, `the server answered ${response.status}`);
  const length = Number(response.headers.get("Content-Length") ?? 0);
  const parts: Uint8Array[] = [];
  let got = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    got += part.value.length;
    onFraction(length > 0 ? Math.min(got / length, 1) : null);
  }
  const whole = new Uint8Array(got);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The network's answer, which is kept; without a network what was kept. */
async function responseOf(address: string, name: string): Promise<Response> {
  // A page that is neither on https nor on this machine has no cache.
  const cache = "caches" in globalThis ? await caches.open(KEPT) : null;
  try {
    const response = await fetch(address);
    if (response.ok) await cache?.put(address, response.clone());
    return response;
  } catch (error) {
    const kept = await cache?.match(address);
    if (kept) return kept;
    throw missing(name, brief((error as Error).message));
  }
}

function missing(name: string, why: string): EngineError {
  return new EngineError(
    "bundle",
    `${name} cannot be read (${why})`,
    `a bundle: ${DESCRIPTION} and ${MODEL}`,
    "open the bundle once while the server runs, or give its files",
  );
}
