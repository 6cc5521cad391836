import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EngineError } from "../errors";
import { GOLDEN_IMAGES, testCodec } from "../testing/golden";
import { kindOf } from "../testing/vectors";
import { decode } from ".";

interface Wanted {
  dtype: string;
  shape: number[];
  offset: number;
  spacing_mm: [number, number] | null;
  modality: string;
  frame: number | null;
  remarks: string[];
  regions: { box: number[]; spacing_mm: [number, number] | null }[];
}

const INDEX = JSON.parse(readFileSync(`${GOLDEN_IMAGES}.json`, "utf8")) as Record<
  string,
  { offset: number; length: number; images: Wanted[] | null }
>;
const BYTES = Uint8Array.from(readFileSync(`${GOLDEN_IMAGES}.bin`)).buffer;
/** Kinds that Python reads and the device refuses, as it could not give the same array, or not at once. */
const REFUSED = [
  "cmyk.jpg",
  "signed.tif",
  "tiled.tif",
  "packbits.tif",
  "rgba.tif",
  "palette.tif",
];

test.each(Object.keys(INDEX))("%s is decoded as in Python, or refused", async (name) => {
  const { offset, length, images } = INDEX[name];
  const file = new File([BYTES.slice(offset, offset + length)], name);
  const found = decode(file, testCodec, () => undefined);
  if (images === null || REFUSED.includes(name)) {
    await expect(found).rejects.toBeInstanceOf(EngineError);
    return;
  }
  const read = await found;
  expect(read.length).toBe(images.length);
  read.forEach((image, k) => {
    const wanted = images[k];
    const size = wanted.shape.reduce((a, b) => a * b, 1);
    const array = new (kindOf(wanted.dtype))(BYTES, wanted.offset, size);
    expect([image.channels, image.rows, image.columns]).toEqual(wanted.shape);
    expect(image.data.constructor).toBe(array.constructor);
    expect(image.data.findIndex((value, i) => value !== array[i]), "the first pixel that differs").toBe(-1);
    expect(image.modality).toBe(wanted.modality);
    expect(image.frame).toBe(wanted.frame);
    expect(image.remarks).toEqual(wanted.remarks);
    expect(image.spacingMm?.map(short) ?? null).toEqual(wanted.spacing_mm?.map(short) ?? null);
    expect(image.regions).toEqual(wanted.regions.map((one) => ({ box: one.box, spacingMm: one.spacing_mm })));
  });
});

function short(value: number): string {
  return value.toPrecision(12);
}
