import { readFileSync } from "node:fs";
import { parseDicom, type DataSet } from "dicom-parser";
import { expect, test } from "vitest";
import { GOLDEN_IMAGES, testCodec, VOLUMES } from "../testing/golden";
import { decode } from ".";
import { Header } from "./dicom-header";
import { studyDateOf, viewOf } from "./dicom-view";
import { decodeVolumes } from "./volumes";

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

type Index = Record<string, { offset: number; length: number }>;

const read = (stem: string): unknown => JSON.parse(readFileSync(`${stem}.json`, "utf8"));

/** A golden file, with elements put before the first of its data set. */
function fileOf(stem: string, name: string, index: Index, added: readonly Buffer[] = []): File {
  const { offset, length } = index[name];
  const plain = readFileSync(`${stem}.bin`).subarray(offset, offset + length);
  // tag, VR and length stand before the value
  const at = added.length === 0 ? 0 : parseDicom(plain, { untilTag: "x7fe00010" }).elements.x00080016.dataOffset - 8;
  return new File([Buffer.concat([plain.subarray(0, at), ...added, plain.subarray(at)])], name);
}

const DATE = element(0x0008, 0x0020, "DA", "20250301");

test("a decoded image tells both, and a picture neither", async () => {
  const index = read(GOLDEN_IMAGES) as Index;
  const said = [DATE, element(0x0020, 0x0062, "CS", "L "), element(0x0018, 0x5101, "CS", "MLO ")];
  const [image] = await decode(fileOf(GOLDEN_IMAGES, "mammogram.dcm", index, said), testCodec, () => undefined);
  expect([image.view, image.studyDate]).toEqual(["L MLO", "2025-03-01"]);
  const picture = Object.keys(index).find((name) => name.endsWith(".png")) ?? "";
  const [other] = await decode(fileOf(GOLDEN_IMAGES, picture, index), testCodec, () => undefined);
  expect([other.view, other.studyDate]).toEqual(["", ""]);
});

test("a volume tells the date of its slices", async () => {
  const { files } = read(VOLUMES) as { files: Index };
  const slices = Object.keys(files).filter((name) => name.startsWith("timed/"));
  const { volumes } = await decodeVolumes(slices.map((name) => fileOf(VOLUMES, name, files, [DATE])), testCodec, () => undefined);
  expect(volumes.map(({ studyDate }) => studyDate)).toEqual(["2025-03-01"]);
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
