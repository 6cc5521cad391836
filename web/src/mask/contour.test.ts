import { expect, it } from "vitest";
import { rings, signedArea } from "./contour";
import { drawn } from "./drawn";

it("follows the edges of the pixels", () => {
  expect(rings(drawn("....", ".##.", "...."))).toEqual([[1, 1, 1, 3, 2, 3, 2, 1]]);
});

it("gives holes a negative area, and all rings together the number of pixels", () => {
  const mask = drawn("######", "#.##.#", "##..##", "######");
  const areas = rings(mask).map(signedArea);
  expect(areas.filter((area) => area < 0)).toHaveLength(3);
  expect(areas.reduce((sum, area) => sum + area, 0)).toBe(mask.data.reduce((sum, value) => sum + value, 0));
});

it("joins pixels that touch by a corner, as regions do", () => {
  expect(rings(drawn("#.", ".#")).map(signedArea)).toEqual([2]);
});

it("can be limited to a box", () => {
  expect(rings(drawn("##", "##"), { row0: 0, column0: 1, row1: 2, column1: 2 }).map(signedArea)).toEqual([2]);
});
