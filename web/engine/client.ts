/** The engine as the page sees it: calls that a worker answers. */
import type { BundleSource, Engine, JobOptions, OpenBundle, SegmentOptions, Segmentation } from "./api";
import { EngineError } from "./errors";
import type { Image } from "./image";
import type { Failure, JobKind, Jobs, Reply, Request } from "./protocol";

export interface EngineOptions {
  /** Threads of the network; as many as there are cores by default, at most 4. */
  readonly threads?: number;
}

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: JobOptions["onProgress"];
}

/** Start the engine in a worker of its own. */
export function createEngine(options: EngineOptions = {}): Engine {
  const calls = new Calls(new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }));
  return {
    decode: (file, job = {}) => calls.ask("decode", { file }, job),
    decodeVolumes: (files, job = {}) => calls.ask("decodeVolumes", { files }, job),
    outline: (image, prompt, job = {}) => calls.ask("outline", { image, prompt }, job),
    openBundle: (source, job = {}) => openBundle(calls, source, options.threads ?? 0, job),
    close: () => { calls.close(); },
  };
}

async function openBundle(
  calls: Calls,
  source: BundleSource,
  threads: number,
  job: JobOptions,
): Promise<OpenBundle> {
  // A worker knows no address of the page's own.
  const absolute = typeof source === "string" ? new URL(source, document.baseURI).href : source;
  const given = absolute instanceof URL ? absolute.href : absolute;
  const { handle, bundle } = await calls.ask("open", { source: given, threads }, job);
  return {
    bundle,
    segment: (image: Image, { signal, onProgress, ...wish }: SegmentOptions = {}): Promise<Segmentation> =>
      calls.ask("segment", { handle, image, wish }, { signal, onProgress }),
    segmentVolume: (volume, { signal, onProgress, ...wish } = {}) =>
      calls.ask("segmentVolume", { handle, volume, ...wish }, { signal, onProgress }),
    close: async () => {
      await calls.ask("release", { handle }, {});
    },
  };
}

/** Jobs that a worker has been given and has not answered yet. */
class Calls {
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  constructor(private readonly worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<Reply>) => { this.receive(data); };
    worker.onerror = (event) => { this.fail(new Error(`the engine stopped: ${event.message}`)); };
  }

  ask<K extends JobKind>(kind: K, given: Jobs[K]["given"], job: JobOptions): Promise<Jobs[K]["result"]> {
    const { signal, onProgress } = job;
    if (signal?.aborted) return Promise.reject(abortError());
    const id = ++this.last;
    return new Promise<Jobs[K]["result"]>((resolve, reject) => {
      const cancel = (): void => {
        this.worker.postMessage({ id, kind: "cancel" } satisfies Request);
        this.waiting.delete(id);
        reject(abortError());
      };
      const settled = <T>(settle: (value: T) => void) => (value: T): void => {
        signal?.removeEventListener("abort", cancel);
        settle(value);
      };
      signal?.addEventListener("abort", cancel, { once: true });
      this.waiting.set(id, { resolve: settled(resolve), reject: settled(reject), onProgress });
      this.worker.postMessage({ id, kind, given });
    });
  }

  close(): void {
    this.worker.terminate();
    this.fail(abortError());
  }

  private receive(reply: Reply): void {
    const job = this.waiting.get(reply.id);
    if (!job) return; // it was cancelled
    if ("progress" in reply) {
      job.onProgress?.(reply.progress);
      return;
    }
    this.waiting.delete(reply.id);
    if ("failure" in reply) job.reject(errorOf(reply.failure));
    else job.resolve(reply.result as never);
  }

  private fail(error: Error): void {
    for (const job of this.waiting.values()) job.reject(error);
    this.waiting.clear();
  }
}

function errorOf({ kind, given, allowed, remedy }: Failure): Error {
  if (kind === "cancelled") return abortError();
  return kind === "fault" ? new Error(given) : new EngineError(kind, given, allowed, remedy);
}

function abortError(): DOMException {
  return new DOMException("The job was cancelled.", "AbortError");
}
