import { describe, expect, it } from "vitest";
import golden from "../../tests/golden/measured.json";
import { drawn } from "./drawn";
import { regionsOf } from "./regions";
import { skinOf, toSkin } from "./skin";

describe("the distance to the skin", () => {
  it.each(golden.map((one, number) => [number, one] as const))("agrees with Python on case %i", (_, one) => {
    const skin = skinOf(drawn(...one.breast));
    const steps = one.spacing_mm === null ? ([1, 1] as const) : ([one.spacing_mm[0], one.spacing_mm[1]] as const);
    regionsOf(drawn(...one.rows)).forEach((region, index) => {
      expect(skin === null ? null : toSkin(region, skin, steps).length).toBeCloseTo(one.lesions[index].skin_distance, 9);
    });
  });

  it("is taken at a right angle to a line that a person has laid, and is 0 where the lesion crosses it", () => {
    const [region] = regionsOf(drawn(".....", ".....", ".##..", ".##.."));
    const line = [{ row: 0, column: 4 }, { row: 0, column: 3 }] as const;
    const { length, ends } = toSkin(region, { line }, [0.5, 0.2]);
    expect(length).toBeCloseTo(1);
    expect(ends).toEqual([{ row: 2, column: 1 }, { row: 0, column: 1 }]);
    expect(toSkin(region, { line: [{ row: 2.5, column: 0 }, { row: 2.5, column: 1 }] }, [1, 1]).length).toBe(0);
  });

  it("is not known where the breast fills the image", () => {
    expect(skinOf(drawn("##", "##"))).toBeNull();
  });
});
