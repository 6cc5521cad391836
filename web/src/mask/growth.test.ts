import { expect, it } from "vitest";
import { drawn } from "./drawn";
import { gone, grownBetween, paired } from "./growth";
import { measuredLesions } from "./measure";

const size = { rows: 5, columns: 9, spacingMm: null };

it("pairs lesions by their place and tells their growth", () => {
  const now = measuredLesions(drawn(".........", ".####....", ".........", ".......#.", "........."), () => [1, 1]);
  const prior = measuredLesions(drawn(".........", "..##.....", ".........", ".........", "........."), () => [1, 1]);
  const [grown, found] = paired(now, prior, size, size);
  expect(grown.prior).toBe(prior[0]);
  const growth = grownBetween(grown);
  expect(growth?.millimetres).toBeCloseTo(Math.hypot(4, 1) - Math.hypot(2, 1));
  expect(growth?.percent).toBeCloseTo(100 * (Math.hypot(4, 1) / Math.hypot(2, 1) - 1));
  expect(found.prior).toBeNull();
  expect(grownBetween(found)).toBeNull();
});

it("pairs a single lesion on each side wherever it lies, and of several none that is too far away", () => {
  const one = (...rows: string[]) => measuredLesions(drawn(...rows), () => null);
  const left = one("##.......", "##.......", ".........", ".........", ".........");
  const right = one(".........", ".........", ".........", ".......##", ".......##");
  expect(paired(left, right, size, size)[0].prior).toBe(right[0]);
  const both = one("##.......", "##.......", ".........", ".........", "........#");
  const pairs = paired(both, right, size, size);
  expect(pairs.map(({ prior }) => prior)).toEqual([null, right[0]]);
  expect(gone(pairs, right)).toEqual([]);
  expect(gone(paired(left, both, size, size), both)).toEqual([both[1]]);
});

it("tells no growth in pixels", () => {
  const [lesion] = measuredLesions(drawn("...", ".#.", "..."), () => null);
  expect(grownBetween({ now: lesion, prior: lesion })).toBeNull();
});
