/** The lines that a person lays and drags on an image: calipers, moved diameters and the skin line. */
import type { Point } from "../mask/mask";
import type { Moved } from "./measurements";
import type { Session } from "./session";
import type { Laid } from "./skin-lines";

export interface Caliper {
  frame: number;
  ends: [Point, Point];
}

/** All lines of an open image. They are replaced rather than changed, so that a step can hold those before and after it. */
export interface Lines {
  readonly calipers: readonly Caliper[];
  readonly moved: Moved;
  readonly skin: Laid;
}

export function linesOf({ calipers, measurements, skin }: Session): Lines {
  return { calipers, moved: measurements.moved, skin: skin.laid };
}

export function putLines(session: Session, { calipers, moved, skin }: Lines): void {
  session.measurements.put(moved);
  session.skin.put(skin);
  session.setCalipers(calipers);
}

/** What has changed since then is one step, which undo takes back. */
export function linesMoved(session: Session, label: string, before: Lines): void {
  const after = linesOf(session);
  if (after.calipers !== before.calipers || after.moved !== before.moved || after.skin !== before.skin) session.recordLines(label, { before, after });
}

/** Lays, moves or removes lines as one step. */
export function changeLines(session: Session, label: string, change: () => void): void {
  const before = linesOf(session);
  change();
  linesMoved(session, label, before);
}
