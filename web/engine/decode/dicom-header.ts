/** What a DICOM header says, by tag, with what an enhanced object says of one frame alone before it. */
import type { DataSet } from "dicom-parser";

const SHARED = "x52009229";
const PER_FRAME = "x52009230";
/** Pixel Measures, Pixel Value Transformation and Frame VOI LUT. */
const FRAME_GROUPS = ["x00289110", "x00289145", "x00289132"];
const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;

export class Header {
  /** @param sets the later one goes before. */
  constructor(private readonly sets: readonly DataSet[]) {}

  /** With what is said of this frame alone. */
  ofFrame(index: number): Header {
    const groups = [...this.items(SHARED), ...this.items(PER_FRAME).slice(index, index + 1)];
    const said = groups.flatMap((group) => FRAME_GROUPS.flatMap((kind) => group.items(kind).slice(0, 1)));
    return new Header([...this.sets, ...said.flatMap(({ sets }) => sets)]);
  }

  private holder(tag: string): DataSet | undefined {
    return this.sets.findLast(({ elements }) => tag in elements);
  }

  has(tag: string): boolean {
    return this.holder(tag) !== undefined;
  }

  /** A text without the spaces around it; empty where it is absent. */
  text(tag: string): string {
    return this.holder(tag)?.string(tag) ?? "";
  }

  /** A value of two bytes without a sign. */
  integer(tag: string, index = 0): number | undefined {
    return this.holder(tag)?.uint16(tag, index);
  }

  /** A value of four bytes without a sign. */
  long(tag: string): number | undefined {
    return this.holder(tag)?.uint32(tag);
  }

  /** A value of eight bytes. */
  double(tag: string): number | undefined {
    return this.holder(tag)?.double(tag);
  }

  /** The numbers of a text, such as "0.1\\0.2"; NaN where a part is empty. */
  numbers(tag: string): number[] {
    const text = this.text(tag);
    if (text === "") return [];
    return text.split("\\").map((part) => {
      if (part.trim() !== "" && !DECIMAL.test(part)) throw new RangeError(`${tag} is no number`);
      return part.trim() === "" ? NaN : Number(part);
    });
  }

  /** The first number of a text; the default where it is absent, empty or not finite. */
  number(tag: string, otherwise: number): number {
    const [first] = this.numbers(tag);
    return Number.isFinite(first) ? first : otherwise;
  }

  /** The 16-bit values of an element, and its bytes. */
  words(tag: string): { values: number[]; bytes: Uint8Array } | undefined {
    const set = this.holder(tag);
    const element = set?.elements[tag];
    if (!set || !element) return undefined;
    const count = element.length >> 1;
    const values = Array.from({ length: count }, (_, i) => set.uint16(tag, i) ?? 0);
    const bytes = set.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
    return { values, bytes };
  }

  /** The items of a sequence. */
  items(tag: string): Header[] {
    const items = this.holder(tag)?.elements[tag].items ?? [];
    return items.flatMap(({ dataSet }) => (dataSet ? [new Header([dataSet])] : []));
  }
}
