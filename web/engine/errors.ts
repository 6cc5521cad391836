export type ErrorKind = "bundle" | "input" | "unreadable" | "unsupported";

/** The engine's one error: what was found, what is expected, what to try. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    readonly kind: ErrorKind,
    readonly given: string,
    readonly allowed = "",
    readonly remedy = "",
  ) {
    super(
      [`${given}.`, allowed && `Expected: ${allowed}.`, remedy && `Try: ${remedy}.`].filter(Boolean).join(" "),
    );
  }
}

/** What a file or a decoder says, fit for a message: one line, printable, short. */
export function brief(value: unknown, limit = 60): string {
  const text = String(value).replace(/[^\p{L}\p{N}\p{P}\p{S}]+/gu, " ").trim();
  return text.length <= limit ? text : `${text.slice(0, limit - 3)}...`;
}
