/** The lines of the measurements on an image. */
import type { Point } from "../mask/mask";
import type { Which } from "../state/measurements";
import type { Session } from "../state/session";

/** The lines of the diameters that are shown. */
export function diameterLines(session: Session): { lesion: number; which: Which; ends: [Point, Point] }[] {
  return session.lesions.slice(0, 20).flatMap(({ region, longest, perpendicular }) => [
    { lesion: region.number, which: "longest" as const, ends: longest.ends },
    { lesion: region.number, which: "perpendicular" as const, ends: perpendicular.ends },
  ]);
}
