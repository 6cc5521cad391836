/** Numbers and findings in words. */
import type { Measured } from "../mask/measure";
import type { Authors } from "./history";
import type { Session } from "./session";

/** With the unit; millimetres with one decimal, pixels without, as in reports. */
export function lengthText(length: number, unit: "mm" | "px"): string {
  return `${unit === "mm" ? length.toFixed(1) : length.toFixed(0)} ${unit}`;
}

export function areaText(area: number, unit: "mm" | "px"): string {
  return `${unit === "mm" && area < 100 ? area.toFixed(1) : area.toFixed(0)} ${unit}²`;
}

export function sizeText({ longest, perpendicular, unit }: Measured): string {
  const digits = unit === "mm" ? 1 : 0;
  return `${longest.length.toFixed(digits)} x ${perpendicular.length.toFixed(digits)} ${unit === "mm" ? "mm" : "px (pixel spacing unknown)"}`;
}

/** In mm and per cent, with their signs. */
export function growthText(grown: { millimetres: number; percent: number } | null): string {
  if (grown === null) return "not known: the pixel spacing of both is needed";
  const sign = grown.millimetres >= 0 ? "+" : "";
  return `${sign}${grown.millimetres.toFixed(1)} mm, ${sign}${grown.percent.toFixed(0)} %`;
}

export function volumeText({ voxels, cubicMm }: Session["volume"]): string {
  return cubicMm === null ? `${voxels} voxels` : `${(cubicMm / 1000).toFixed(2)} cm³`;
}

/** Seconds below two minutes, then minutes. */
export function durationText(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`;
}

/** Whose work a mask is, in words. */
export function madeBy({ by, byHand }: Authors): string {
  if (by.length === 0) return "drawn by hand";
  const names = [by.slice(0, -1).join(", "), by[by.length - 1]].filter((part) => part !== "").join(" and ");
  return `outlined by ${names}${byHand ? ", corrected by hand" : ""}`;
}

/** The sentence to paste into a report. */
export function sentence(session: Session): string {
  const { lesions, image } = session;
  const { authors } = session;
  if (authors.by.length === 0 && !authors.byHand) return "No lesion was outlined. Research use only.";
  const by = madeBy(authors);
  const where = image.frames > 1 ? ` on ${image.kind === "volume" ? "slice" : "frame"} ${session.frame + 1}` : "";
  if (lesions.length === 0) return `No lesion${where} (${by}). Research use only.`;
  const count = lesions.length === 1 ? "1 lesion" : `${lesions.length} lesions, the largest`;
  return `${count}${where}: ${sizeText(lesions[0])} (${by}). Research use only.`;
}
