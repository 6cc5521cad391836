/** Requests to the service that the page came from; to no other machine. */
import type { components } from "./api";
import { Told } from "./backend";

export type Wire = components["schemas"];

/** The service has accounts, and nobody is logged in. */
export class NeedsLogin extends Told {}

/** An upload that did not arrive; the same files may be sent again. */
export class BrokeOff extends Told {}

/** Asks for JSON. */
export async function json<T>(path: string, init: RequestInit = {}): Promise<T> {
  return (await (await answered(path, init)).json()) as T;
}

/** Sends JSON. */
export function posted(body: unknown, method = "POST"): RequestInit {
  return { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

/** The answer; a problem document becomes an error in its words. */
export async function answered(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api${path}`, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Told("The service does not answer. Expected: it runs on the machine that this page came from. Try: start it again, or switch to this device.");
  }
  if (response.status === 401) throw new NeedsLogin(await wordsOf(response));
  if (!response.ok) throw new Told(await wordsOf(response));
  return response;
}

async function wordsOf(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as Partial<Wire["Problem"]>;
    return problem.detail ?? problem.title ?? `The service answered with status ${response.status}.`;
  } catch {
    return `The service answered with status ${response.status}.`;
  }
}

const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

export interface Raw {
  shape: readonly number[];
  values: InstanceType<(typeof ARRAYS)[keyof typeof ARRAYS]>;
}

/** Asks for an array: bytes, with their type and shape in the headers. */
export async function raw(path: string, signal?: AbortSignal): Promise<Raw> {
  const response = await answered(path, signal === undefined ? {} : { signal });
  const dtype = response.headers.get("X-Dtype") ?? "";
  const shape = (response.headers.get("X-Shape") ?? "").split(",").map(Number);
  if (!(dtype in ARRAYS)) {
    throw new Told(`Pixels of type ${dtype}. Expected: ${Object.keys(ARRAYS).join(", ")}. Try: convert the file.`);
  }
  const made = ARRAYS[dtype as keyof typeof ARRAYS];
  const values = new made(await response.arrayBuffer());
  const size = shape.reduce((product, length) => product * length, 1);
  if (values.length !== size) throw new Told(`${values.length} values for a shape of ${shape.join(" x ")}. Expected: ${size}. Try: load the page again.`);
  return { shape, values };
}

/** Sends files with the progress of the upload, 0 to 1; until it is left, nothing of them is kept. */
export function uploaded<T>(path: string, form: FormData, progress: (fraction: number) => void, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api${path}`);
    request.upload.onprogress = ({ loaded, total }) => {
      progress(total > 0 ? loaded / total : 0);
    };
    request.onerror = () => {
      reject(new BrokeOff("The upload broke off; nothing of it was kept. Expected: the service runs. Try: upload again once it does."));
    };
    request.onabort = () => { reject(new DOMException("left", "AbortError")); };
    signal.addEventListener("abort", () => { request.abort(); });
    request.onload = () => {
      const response = new Response(request.responseText, { status: request.status });
      if (response.ok) resolve(JSON.parse(request.responseText) as T);
      else void wordsOf(response).then((words) => { reject(response.status === 401 ? new NeedsLogin(words) : new Told(words)); });
    };
    request.send(form);
  });
}
