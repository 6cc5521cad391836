import { expect, it } from "vitest";
import { reformatted, reformattedMask } from "./planes";

const volume = [Uint8Array.of(1, 2, 3, 4, 5, 6), undefined, Uint8Array.of(0, 0, 1, 0, 1, 0)];
const slices = { rows: 2, columns: 3, count: 3, of: (slice: number) => volume[slice] };

it("cuts a volume along a row and along a column", () => {
  expect([...reformatted(slices, "row", 1).values]).toEqual([4, 5, 6, 0, 0, 0, 0, 1, 0]);
  expect(reformatted(slices, "column", 2)).toMatchObject({ rows: 3, columns: 2, values: Float32Array.of(3, 6, 0, 0, 1, 0) });
  expect(reformattedMask(slices, "column", 2).data[4]).toBe(1);
});
