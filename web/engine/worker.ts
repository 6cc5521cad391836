/** The worker: it does one job after the other. */
import jpegWasm from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?url";
import type { Progress } from "./api";
import type { Bundle } from "./bundle";
import { readBundle } from "./bundle-folder";

import { outlineBox } from "./classical/outline";
import { decode } from "./decode";
import { decodeVolumes } from "./decode/volumes";
import { jpegCodec, type JpegCodec } from "./decode/codec";
import { brief, EngineError } from "./errors";
import { loadNetwork, type LoadedNetwork } from "./network";
import type { Failure, Jobs, Reply, Request } from "./protocol";
import { runtime } from "./runtime";
import { segmentImage } from "./segment";
import { segmentVolume } from "./segment-volume";

interface Opened extends LoadedNetwork {
  readonly bundle: Bundle;
}

const opened = new Map<number, Opened>();
const cancelled = new Set<number>();
let handles = 0;
let last: Promise<void> = Promise.resolve();

let codecs: Promise<JpegCodec> | undefined;

/** The JPEG codec, loaded when it is first needed. */
function codec(): Promise<JpegCodec> {
  codecs ??= fetch(jpegWasm)
    .then((response) => response.arrayBuffer())
    .then(jpegCodec);
  return codecs;
}

class Cancelled extends Error {}

self.onmessage = ({ data: request }: MessageEvent<Request>): void => {
  if (request.kind === "cancel") {
    cancelled.add(request.id);
    return;
  }
  last = last.then(() => perform(request));
};

async function perform(request: Exclude<Request, { kind: "cancel" }>): Promise<void> {
  const { id } = request;
  const tell = (progress: Progress): void => {
    if (cancelled.has(id)) throw new Cancelled();
    reply({ id, progress });
  };
  try {
    if (cancelled.has(id)) throw new Cancelled();
    const result = await resultOf(request, tell);
    if (cancelled.has(id)) throw new Cancelled();
    reply({ id, result }, buffersOf(result));
  } catch (error) {
    reply({ id, failure: failureOf(error) });
  } finally {
    cancelled.delete(id);
  }
}

async function resultOf(
  request: Exclude<Request, { kind: "cancel" }>,
  tell: (progress: Progress) => void,
): Promise<Jobs[keyof Jobs]["result"]> {
  switch (request.kind) {
    case "decode":
      return decode(request.given.file, codec, (fraction) => { tell({ step: "decode", fraction }); });
    case "decodeVolumes":
      return decodeVolumes(request.given.files, codec, (fraction) => { tell({ step: "decode", fraction }); });
    case "open":
      return open(request.given, tell);
    case "segment": {
      const { handle, image, wish } = request.given;
      const { bundle, run } = found(handle);
      return segmentImage(
        (input) => {
          tell({ step: "network", fraction: null });
          return run(input);
        },
        bundle,
        image,
        wish,
      );
    }
    case "outline":
      return outlineBox(request.given.image, request.given.prompt);
    case "segmentVolume": {
      const { handle, volume, threshold } = request.given;
      const { bundle, run } = found(handle);
      return segmentVolume(run, bundle, volume, threshold, (fraction) => { tell({ step: "network", fraction }); });
    }
    case "release":
      await found(request.given.handle).release();
      opened.delete(request.given.handle);
      return null;
  }
}

async function open(
  { source, threads }: Jobs["open"]["given"],
  tell: (progress: Progress) => void,
): Promise<Jobs["open"]["result"]> {
  const { bundle, model } = await readBundle(source, (fraction) => { tell({ step: "read", fraction }); });
  tell({ step: "load", fraction: null });
  const network = await loadNetwork(runtime(threads), model, bundle);
  handles += 1;
  opened.set(handles, { ...network, bundle });
  return { handle: handles, bundle };
}

function found(handle: number): Opened {
  const one = opened.get(handle);
  if (!one) throw new EngineError("input", "a bundle that is closed", "one that is open", "open it again");
  return one;
}

function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) {
    const { kind, given, allowed, remedy } = error;
    return { kind, given, allowed, remedy };
  }
  const kind = error instanceof Cancelled ? "cancelled" : "fault";
  return { kind, given: brief(error, 300), allowed: "", remedy: "" };
}

function reply(message: Reply, buffers: ArrayBuffer[] = []): void {
  self.postMessage(message, { transfer: buffers });
}

/** The memory of the arrays in a result: it is handed over, not copied. */
function buffersOf(result: Jobs[keyof Jobs]["result"]): ArrayBuffer[] {
  if (result === null || "handle" in result) return [];
  const arrays = Array.isArray(result)
    ? result.map(({ data }) => data)
    : "volumes" in result
      ? result.volumes.flatMap(({ phases }) => phases)
      : [result.probability, result.mask];
  return [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))];
}
