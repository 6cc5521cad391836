import { expect, test } from "vitest";
import { boxShape } from "./box";

test("a box is half-open", () => {
  expect(boxShape([1, 2, 4, 9])).toEqual([3, 7]);
});
