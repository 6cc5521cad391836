/**
 * What stands in an ONNX file, read from its bytes before a runtime opens it: the field numbers of `onnx.proto`
 * in the encoding of protocol buffers.
 */
import { EngineError } from "./errors";

/** They run a graph within the graph, as often as a number says, and one may never end. */
const CONTROL_FLOW = ["If", "Loop", "Scan"];
const MOST_DEPTH = 20;
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

type Message = "Model" | "Graph" | "Function" | "Node" | "Attribute" | "SparseTensor" | "Tensor";

/** Of each message, the fields that are walked into, and the message there. */
const PARTS: Record<Message, Record<number, Message>> = {
  Model: { 7: "Graph", 25: "Function" },
  Graph: { 1: "Node", 5: "Tensor", 15: "SparseTensor" },
  Function: { 7: "Node", 11: "Attribute" },
  Node: { 5: "Attribute" },
  Attribute: { 5: "Tensor", 10: "Tensor", 6: "Graph", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor" },
  SparseTensor: { 1: "Tensor", 2: "Tensor" },
  Tensor: {},
};
const OPERATOR = 4;
const DOMAIN = 7;
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;

interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

export interface Contents {
  /** In alphabetical order; "domain:Operator" where the domain is not ONNX's own. */
  readonly operators: readonly string[];
  /** Whether the values of some tensor lie in another file. */
  readonly external: boolean;
  /** Whether it defines operators of its own. */
  readonly functions: boolean;
}

/**
 * Refuse a network that its digest does not cover whole, or that may never end.
 *
 * @throws EngineError kind "bundle".
 */
export function checkNetwork(model: Uint8Array): void {
  const { operators, external, functions } = contentsOf(model);
  if (external) {
    throw new EngineError(
      "bundle",
      "model.onnx: weights lie in other files, which no digest covers",
      "all weights in the file",
      "save the network again as one file",
    );
  }
  // of which each may call another twice: 1 kB becomes a million operators
  if (functions) {
    throw new EngineError(
      "bundle",
      "model.onnx: the network defines functions of its own",
      "operators of ONNX alone",
      "export the network with its functions inlined",
    );
  }
  const loops = operators.filter((name) => CONTROL_FLOW.includes(name));
  if (loops.length) {
    throw new EngineError(
      "bundle",
      `model.onnx: the network has control flow (${loops.join(", ")})`,
      `none of ${CONTROL_FLOW.join(", ")}`,
      "export the network traced, without loops",
    );
  }
}

/** @throws EngineError kind "bundle": the bytes are no ONNX model. */
export function contentsOf(model: Uint8Array): Contents {
  const operators = new Set<string>();
  let external = false;
  let functions = false;

  function walk(message: Message, data: Uint8Array, depth: number): void {
    if (depth > MOST_DEPTH) throw new RangeError("graphs nested too deeply");
    const fields = fieldsOf(data);
    if (message === "Node") operators.add(operatorOf(fields));
    functions ||= message === "Function";
    if (message === "Tensor") {
      external ||= fields.some(
        ({ number, value }) => number === EXTERNAL_DATA || (number === DATA_LOCATION && value !== 0),
      );
    }
    for (const { number, value } of fields) {
      const below = PARTS[message][number] as Message | undefined;
      if (below && typeof value !== "number") walk(below, value, depth + 1);
    }
  }

  try {
    walk("Model", model, 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EngineError(
      "bundle",
      `model.onnx is not a network in ONNX (${error.message})`,
      "",
      "copy the whole bundle again",
    );
  }
  return { operators: [...operators].sort(), external, functions };
}

function fieldsOf(data: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (at >= data.length || scale > 2 ** 63) throw new RangeError("it ends within a number");
      const byte = data[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  while (at < data.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const kind = key % 8;
    if (kind === VARINT) {
      fields.push({ number, value: varint() });
      continue;
    }
    if (kind !== BYTES && kind !== FIXED32 && kind !== FIXED64) throw new RangeError(`a field of kind ${kind}`);
    const length = kind === BYTES ? varint() : kind === FIXED32 ? 4 : 8;
    if (number === 0 || length > data.length - at) throw new RangeError("it ends within a field");
    fields.push({ number, value: data.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

function operatorOf(fields: readonly Field[]): string {
  const text = (wanted: number): string => {
    const found = fields.findLast(({ number, value }) => number === wanted && typeof value !== "number");
    return found ? new TextDecoder().decode(found.value as Uint8Array) : "";
  };
  const domain = text(DOMAIN);
  return domain === "" || domain === "ai.onnx" ? text(OPERATOR) : `${domain}:${text(OPERATOR)}`;
}
