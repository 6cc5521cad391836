/** What stays of a mask while a person points at one lesion of it. */
import { emptyMask, type Mask } from "../mask/mask";
import { place } from "../mask/paint";
import { regionsOf, type Region } from "../mask/regions";
import type { Session } from "./session";

/** The regions that are not pointed at. Once something is pointed at, it is what stayed then. */
export function baseFor(session: Session, pointedAt: (region: Region) => boolean): Mask | null {
  const { prompt, base } = session.marks;
  if (base !== null || prompt.box !== null || prompt.scribble !== null || prompt.inside.length + prompt.outside.length > 0) return base;
  const staying = regionsOf(session.mask()).filter((region) => !pointedAt(region));
  if (staying.length === 0) return null;
  const mask = emptyMask(session.image.rows, session.image.columns);
  for (const { box, crop } of staying) place(mask, box, crop, 1);
  return mask;
}
