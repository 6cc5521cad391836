import { describe, expect, it } from "vitest";
import golden from "../../tests/golden/measured.json";
import { lengthBetween } from "./diameters";
import { drawn } from "./drawn";
import { measuredLesions } from "./measure";

describe("measured lesions", () => {
  it.each(golden.map((one, number) => [number, one] as const))("agree with Python on case %i", (_, one) => {
    const spacing = one.spacing_mm === null ? null : ([one.spacing_mm[0], one.spacing_mm[1]] as const);
    const found = measuredLesions(drawn(...one.rows), () => spacing);
    expect(found).toHaveLength(one.lesions.length);
    found.forEach((lesion, index) => {
      const expected = one.lesions[index];
      const { row0, column0, row1, column1 } = lesion.region.box;
      expect([row0, column0, row1, column1]).toEqual(expected.box);
      expect(lesion.region.pixels).toBe(expected.area_px);
      expect(lesion.unit).toBe(expected.unit);
      expect(lesion.area).toBeCloseTo(expected.area, 9);
      expect(lesion.longest.length).toBeCloseTo(expected.longest, 9);
      expect(lesion.perpendicular.length).toBeCloseTo(expected.perpendicular, 9);
      lesion.longest.ends.forEach((end, which) => {
        expect(end.row).toBeCloseTo(expected.longest_ends[which][0], 9);
        expect(end.column).toBeCloseTo(expected.longest_ends[which][1], 9);
      });
      // Of several equally long perpendiculars rounding chooses, so that only the length is compared.
      const [a, b] = lesion.perpendicular.ends;
      expect(lengthBetween(a, b, spacing ?? [1, 1])).toBeCloseTo(lesion.perpendicular.length, 9);
    });
  });

  it("describe the shape", () => {
    const [bar] = measuredLesions(drawn("......", ".####.", "......"), () => [0.5, 1]);
    expect(bar.area).toBe(2);
    expect(bar.solidity).toBe(1);
    expect(bar.tallerThanWide).toBe(0.125);
    const [corner] = measuredLesions(drawn("##..", "##..", "####", "####"), () => null);
    expect(corner.solidity).toBeCloseTo(12 / 14);
    const disc = Array.from({ length: 61 }, (_, row) =>
      Array.from({ length: 61 }, (_, column) => ((row - 30) ** 2 + (column - 30) ** 2 <= 625 ? "#" : ".")).join(""),
    );
    expect(measuredLesions(drawn(...disc), () => null)[0].circularity).toBeGreaterThan(0.95);
  });
});
