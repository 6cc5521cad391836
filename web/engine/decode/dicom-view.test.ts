import { readFileSync } from "node:fs";
import { parseDicom, type DataSet } from "dicom-parser";
import { expect, test } from "vitest";
import { GOLDEN_IMAGES, testCodec } from "../testing/golden";
import { decode } from ".";
import { Header } from "./dicom-header";
import { studyDateOf, viewOf } from "./dicom-view";

type Texts = Record<string, string>;

function setOf(texts: Texts, items: Record<string, Texts> = {}): DataSet {
  const elements = Object.fromEntries([
    ...Object.keys(texts).map((tag) => [tag, {}]),
    ...Object.entries(items).map(([tag, item]) => [tag, { items: [{ dataSet: setOf(item) }] }]),
  ]) as DataSet["elements"];
  return { elements, string: (tag: string) => texts[tag] } as unknown as DataSet;
}

const headerOf = (texts: Texts, items?: Record<string, Texts>): Header => new Header([setOf(texts, items)]);
const CODE = { x00540220: { x00080104: "medio-lateral oblique" } };

test("side and view are those of Python's reader", () => {
  expect(viewOf(headerOf({}))).toBe("");
  expect(viewOf(headerOf({ x00200062: "L", x00185101: "MLO" }))).toBe("L MLO");
  expect(viewOf(headerOf({ x00200060: "R", x00200062: "" }))).toBe("R");
  expect(viewOf(headerOf({ x00200062: "R" }, CODE))).toBe("R medio-lateral oblique");
  expect(viewOf(headerOf({ x00200062: "R", x00185101: "CC" }, CODE))).toBe("R CC");
});

test("a date that is none is not stated", () => {
  expect(studyDateOf(headerOf({ x00080020: "20250301" }))).toBe("2025-03-01");
  for (const wrong of ["", "2025", "2025.03.01", "20250301-20250302"]) expect(studyDateOf(headerOf({ x00080020: wrong }))).toBe("");
});

test("a decoded image tells both, and a picture neither", async () => {
  const index = JSON.parse(readFileSync(`${GOLDEN_IMAGES}.json`, "utf8")) as Record<string, { offset: number; length: number }>;
  const bytes = (name: string): Buffer => readFileSync(`${GOLDEN_IMAGES}.bin`).subarray(index[name].offset, index[name].offset + index[name].length);
  const plain = bytes("mammogram.dcm");
  const at = parseDicom(plain).elements.x00080016.dataOffset - 8; // tag, VR and length stand before the value
  const added = [element(0x0008, 0x0020, "DA", "20250301"), element(0x0020, 0x0062, "CS", "L "), element(0x0018, 0x5101, "CS", "MLO ")];
  const file = new File([Buffer.concat([plain.subarray(0, at), ...added, plain.subarray(at)])], "mammogram.dcm");
  const [image] = await decode(file, testCodec, () => undefined);
  expect([image.view, image.studyDate]).toEqual(["L MLO", "2025-03-01"]);
  const picture = Object.keys(index).find((name) => name.endsWith(".png")) ?? "";
  const [other] = await decode(new File([new Uint8Array(bytes(picture))], picture), testCodec, () => undefined);
  expect([other.view, other.studyDate]).toEqual(["", ""]);
});

/** An element with an explicit VR, little-endian. */
function element(group: number, number: number, kind: string, text: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(kind, 4);
  head.writeUInt16LE(text.length, 6);
  return Buffer.concat([head, Buffer.from(text)]);
}
