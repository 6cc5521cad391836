/** What is shown on an image, as a person has chosen it; the same for all images. */
import { Observable } from "../state/observable";

export interface Shown {
  contour: boolean;
  fill: boolean;
  heat: boolean;
  model: boolean;
  diameters: boolean;
  /** Inner and outer contour where there is a guarantee. */
  margin: boolean;
  /** The shortest line from each lesion to the skin. */
  skin: boolean;
  /** Of the fill and the heat map, 0 to 1. */
  opacity: number;
}

export class Display extends Observable {
  shown: Shown = { contour: true, fill: true, heat: false, model: false, diameters: true, margin: true, skin: false, opacity: 0.25 };

  set(change: Partial<Shown>): void {
    this.shown = { ...this.shown, ...change };
    this.changed();
  }
}
