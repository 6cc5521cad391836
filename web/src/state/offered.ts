/** What the service makes of a version, and why it cannot make it of some. */
import type { ImageInfo } from "../backend/backend";

export type Made = readonly [file: string, label: string];

export const MADE: readonly Made[] = [
  ["report.pdf", "Report (PDF)"],
  ["mask.nii.gz", "Mask (NIfTI)"],
  ["seg.dcm", "DICOM SEG"],
  ["sr.dcm", "DICOM SR"],
];

/** Why a file cannot be made of an image with so many lesions; empty where it can. */
export function refusal(file: string, image: ImageInfo, lesions: number): string {
  if (file === "mask.nii.gz" && image.spacingMm === null) return "The NIfTI file needs the pixel spacing, which the Measure tab sets.";
  if (!file.endsWith(".dcm")) return "";
  if (image.kind === "volume") return "DICOM objects of a volume are made on the command line.";
  if (!image.dicom) return "DICOM SEG and SR need an image that came as DICOM.";
  return file === "seg.dcm" && lesions === 0 ? "A DICOM SEG needs a lesion." : "";
}
