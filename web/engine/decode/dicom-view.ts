/** What must be known of two DICOM images before one is laid beside the other: the view, and when it was taken. */
import { brief } from "../errors";
import type { Header } from "./dicom-header";

const TAG = {
  imageLaterality: "x00200062",
  laterality: "x00200060",
  viewPosition: "x00185101",
  viewCode: "x00540220",
  codeMeaning: "x00080104",
  studyDate: "x00080020",
};

/** Side and view of a mammogram as Python's reader words them (DICOM PS3.3 C.8.11.7); empty where the file says neither. */
export function viewOf(header: Header): string {
  const side = header.text(TAG.imageLaterality) || header.text(TAG.laterality);
  const position = header.text(TAG.viewPosition) || (header.items(TAG.viewCode).at(0)?.text(TAG.codeMeaning) ?? "");
  return [side, position].filter((part) => part !== "").map((part) => brief(part)).join(" ");
}

/** The study's date (PS3.5 6.2, DA) as YYYY-MM-DD; empty where the file does not state it. */
export function studyDateOf(header: Header): string {
  const stated = /^(\d{4})(\d{2})(\d{2})$/.exec(header.text(TAG.studyDate));
  return stated === null ? "" : stated.slice(1).join("-");
}
