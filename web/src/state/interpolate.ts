/** Outlines between two slices or frames. */
import { interpolated } from "../mask/tidy";
import type { Session } from "./session";

/** Outlines every frame between two outlined ones; each is a step. */
export function interpolate(session: Session, before: number, after: number): void {
  const shown = session.frame;
  for (let frame = before + 1; frame < after; frame += 1) {
    session.show(frame);
    session.replace("Interpolate", interpolated(session.mask(before), session.mask(after), (frame - before) / (after - before)));
  }
  session.show(shown);
}
