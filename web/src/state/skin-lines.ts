/** The skin of an open image, and the shortest line to it from each lesion. */
import { breastRegion } from "../../engine";
import type { Frame } from "../backend/backend";
import type { Diameter } from "../mask/diameters";
import type { Point } from "../mask/mask";
import type { Measured } from "../mask/measure";
import { skinOf, toSkin, type Skin } from "../mask/skin";
import type { Session } from "./session";

/** By frame: on another one the skin lies elsewhere. */
export type Laid = ReadonlyMap<number, { readonly line: readonly [Point, Point] }>;

export class SkinLines {
  laid: Laid = new Map();
  private readonly seen = new WeakMap<Frame, Skin | null>();
  private readonly known = new WeakMap<Measured, { skin: Skin; line: Diameter }>();

  /** @param told called after a line was laid or removed. */
  constructor(
    private readonly session: Session,
    private readonly told: () => void,
  ) {}

  /** As a person has laid it on the frame that is shown. */
  get line(): readonly [Point, Point] | null {
    return this.laid.get(this.session.frame)?.line ?? null;
  }

  lay(line: readonly [Point, Point] | null): void {
    const others = [...this.laid].filter(([frame]) => frame !== this.session.frame);
    this.put(new Map(line === null ? others : [...others, [this.session.frame, { line }]]));
    this.told();
  }

  /** As they were laid before or after a step. */
  put(laid: Laid): void {
    this.laid = laid;
  }

  /** The shortest line from a lesion to the skin; null where no skin is known. */
  from(lesion: Measured): Diameter | null {
    const skin = this.laid.get(this.session.frame) ?? this.inMammogram();
    if (skin === null) return null;
    let known = this.known.get(lesion);
    if (known?.skin !== skin) {
      known = { skin, line: toSkin(lesion.region, skin, this.session.spacingAt(lesion.region) ?? [1, 1]) };
      this.known.set(lesion, known);
    }
    return known.line;
  }

  private inMammogram(): Skin | null {
    const frame = this.session.loaded();
    if (this.session.image.modality !== "mammography" || frame?.channels !== 1) return null;
    let seen = this.seen.get(frame);
    if (seen === undefined) {
      const { rows, columns, values } = frame;
      const data = breastRegion(values, rows, columns);
      seen = data === null ? null : skinOf({ rows, columns, data });
      this.seen.set(frame, seen);
    }
    return seen;
  }
}
