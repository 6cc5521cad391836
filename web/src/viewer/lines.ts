/** The lines of the measurements on an image. */
import type { Point } from "../mask/mask";
import type { Session } from "../state/session";

/** The lines of the diameters that are shown: as measured, or where a person has moved them. */
export function diameterLines(session: Session): { key: string; ends: [Point, Point] }[] {
  return session.lesions.slice(0, 20).flatMap(({ region, longest, perpendicular }) =>
    ([["longest", longest], ["perpendicular", perpendicular]] as const).map(([which, line]) => {
      const key = `${region.number}:${which}`;
      return { key, ends: session.moved[key] ?? line.ends };
    }),
  );
}
