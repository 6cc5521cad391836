import { expect, it } from "vitest";
import { drawn } from "./drawn";
import { grownBetween, pairedByPlace } from "./growth";
import { measuredLesions } from "./measure";

const size = { rows: 5, columns: 9 };

it("pairs lesions by their place and tells their growth", () => {
  const now = measuredLesions(drawn(".........", ".####....", ".........", ".......#.", "........."), () => [1, 1]);
  const prior = measuredLesions(drawn(".........", "..##.....", ".........", ".........", "........."), () => [1, 1]);
  const [grown, found] = pairedByPlace(now, prior, size, size);
  expect(grown.prior).toBe(prior[0]);
  const growth = grownBetween(grown);
  expect(growth?.millimetres).toBeCloseTo(Math.hypot(4, 1) - Math.hypot(2, 1));
  expect(growth?.percent).toBeCloseTo(100 * (Math.hypot(4, 1) / Math.hypot(2, 1) - 1));
  expect(found.prior).toBeNull();
  expect(grownBetween(found)).toBeNull();
});

it("tells no growth in pixels", () => {
  const [lesion] = measuredLesions(drawn("...", ".#.", "..."), () => null);
  expect(grownBetween({ now: lesion, prior: lesion })).toBeNull();
});
