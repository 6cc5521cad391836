/** The lesions of the mask that is shown, measured; with the diameters that a person has moved. */
import { lengthBetween } from "../mask/diameters";
import type { Mask, Point } from "../mask/mask";
import { measuredLesions, type Measured, type SpacingAt } from "../mask/measure";

export type Which = "longest" | "perpendicular";

/** The ends of moved diameters, by lesion and which of its two it is. */
export type Moved = ReadonlyMap<string, [Point, Point]>;

const NONE: Moved = new Map();

export class Measurements {
  moved = NONE;
  private asMeasured: Measured[] | null = null;
  private asShown: Measured[] | null = null;

  /** @param told called after a diameter was moved. */
  constructor(
    private readonly mask: () => Mask,
    private readonly spacingAt: SpacingAt,
    private readonly told: () => void,
  ) {}

  /** The largest first. A moved diameter stands in the place of the measured one, wherever it is shown or told. */
  get lesions(): readonly Measured[] {
    this.asMeasured ??= measuredLesions(this.mask(), this.spacingAt);
    this.asShown ??= this.moved.size === 0 ? this.asMeasured : this.asMeasured.map((one) => this.withMoved(one));
    return this.asShown;
  }

  get byHand(): boolean {
    return this.moved.size > 0;
  }

  move(lesion: number, which: Which, ends: [Point, Point]): void {
    this.put(new Map(this.moved).set(`${lesion}:${which}`, ends));
    this.told();
  }

  /** The diameters are again as measured. */
  forgetMoved(): void {
    this.put(NONE);
    this.told();
  }

  /** As they were moved before or after a step. */
  put(moved: Moved): void {
    this.moved = moved;
    this.asShown = null;
  }

  /** The mask is another one, or its spacing. */
  renew(): void {
    this.moved = NONE;
    this.asMeasured = this.asShown = null;
  }

  private withMoved(lesion: Measured): Measured {
    const steps = this.spacingAt(lesion.region) ?? [1, 1];
    const line = (which: Which): Measured[Which] => {
      const ends = this.moved.get(`${lesion.region.number}:${which}`);
      return ends === undefined ? lesion[which] : { ends, length: lengthBetween(...ends, steps), byHand: true };
    };
    return { ...lesion, longest: line("longest"), perpendicular: line("perpendicular") };
  }
}
