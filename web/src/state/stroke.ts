/** Strokes take time, and an answer may come in the middle of one. */
import type { Session } from "./session";

/** Once no stroke is under way: what changed the mask within one would not be in the history, nor the rest of the stroke. */
export function strokeEnded(session: Session): Promise<void> {
  return new Promise((resolve) => {
    let leave = (): void => undefined;
    const look = (): void => {
      if (session.editing) return;
      leave();
      resolve();
    };
    leave = session.subscribe(look);
    look();
  });
}
