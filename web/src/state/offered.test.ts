import { expect, it } from "vitest";
import type { ImageInfo } from "../backend/backend";
import { refusal } from "./offered";

const still = { kind: "image", spacingMm: [0.1, 0.1], dicom: true } as unknown as ImageInfo;

it.each([
  ["report.pdf", { ...still, spacingMm: null, dicom: false }, 0, ""],
  ["mask.nii.gz", still, 1, ""],
  ["mask.nii.gz", { ...still, spacingMm: null }, 1, "spacing"],
  ["seg.dcm", still, 1, ""],
  ["seg.dcm", still, 0, "lesion"],
  ["sr.dcm", still, 0, ""],
  ["sr.dcm", { ...still, dicom: false }, 1, "came as DICOM"],
  ["seg.dcm", { ...still, kind: "volume" as const, dicom: false }, 1, "volume"],
])("tells why %s of it cannot be made", (file, image, lesions, why) => {
  const said = refusal(file, image, lesions);
  expect(why === "" ? said === "" : said.includes(why)).toBe(true);
});
