import { describe, expect, it } from "vitest";
import { drawn, shown } from "./drawn";
import { copyOf, emptyMask } from "./mask";
import { fillPolygon, moveRegion, stroke } from "./paint";
import { labelled, regionAt, regionMask, regionsOf } from "./regions";
import { smartStroke } from "./smart-brush";
import { holesFilled, interpolated, signedDistance, smoothed } from "./tidy";

describe("brush", () => {
  it("paints every pixel whose centre is under it, and tells where", () => {
    const mask = emptyMask(5, 7);
    const box = stroke(mask, { row: 2, column: 2 }, { row: 2, column: 4 }, 1, 1);
    expect(shown(mask)).toEqual([".......", "..###..", ".#####.", "..###..", "......."]);
    expect(box).toEqual({ row0: 1, column0: 1, row1: 4, column1: 6 });
    stroke(mask, { row: 2, column: 3 }, { row: 2, column: 3 }, 0.5, 0);
    expect(shown(mask)[2]).toBe(".##.##.");
  });

  it("stops at the border of the image", () => {
    const mask = emptyMask(3, 3);
    stroke(mask, { row: -3, column: -3 }, { row: 9, column: 9 }, 0.5, 1);
    expect(shown(mask)).toEqual(["#..", ".#.", "..#"]);
  });

  it("grows to edges when it is smart", () => {
    const values = [0, 0, 0, 9, 9, 9, 9].flatMap((_, row) => Array.from({ length: 7 }, (_, column) => (column < 4 ? 10 : 200) + (row % 2)));
    const mask = emptyMask(7, 7);
    smartStroke(mask, { rows: 7, columns: 7, values }, { row: 3, column: 1 }, 5);
    expect(shown(mask)[3]).toBe("####...");
    expect(labelled(mask).count).toBe(1);
  });

  it.each([6, 10, 16])("is smart in speckle: stops at a lesion's edge, and paints the whole disc where there is none (radius %i)", (radius) => {
    const [rows, columns] = [120, 140];
    const random = seeded(radius);
    const inside = (row: number, column: number): boolean => ((row - 60) / 30) ** 2 + ((column - 70) / 44) ** 2 < 1;
    // Speckle is multiplied, as in ultrasound: the spread of the tissue is a third of its level.
    const values = Array.from({ length: rows * columns }, (_, at) => (inside(Math.floor(at / columns), at % columns) ? 55 : 130) * (1 + 0.33 * normal(random)));
    const painted = (row: number, column: number): { lesion: number; leaked: number; missed: number } => {
      const mask = emptyMask(rows, columns);
      const disc = emptyMask(rows, columns);
      smartStroke(mask, { rows, columns, values }, { row, column }, radius);
      stroke(disc, { row, column }, { row, column }, radius, 1);
      const count = (told: (at: number, isIn: boolean) => boolean): number => mask.data.filter((_, at) => told(at, inside(Math.floor(at / columns), at % columns))).length;
      return {
        lesion: count((at, isIn) => isIn && mask.data[at] === 1),
        leaked: count((at, isIn) => !isIn && mask.data[at] === 1),
        missed: count((at, isIn) => isIn && disc.data[at] === 1 && mask.data[at] === 0),
      };
    };
    const edge = painted(60, 114 - radius / 2);
    expect(edge.lesion).toBeGreaterThan(5 * edge.missed);
    expect(edge.leaked).toBeLessThan(0.15 * edge.lesion);
    expect(painted(60, 70).missed).toBe(0);
  });
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

describe("polygon", () => {
  it("fills what lies inside", () => {
    const mask = emptyMask(5, 5);
    fillPolygon(mask, [{ row: 0.5, column: 0.5 }, { row: 0.5, column: 3.5 }, { row: 3.5, column: 3.5 }, { row: 3.5, column: 0.5 }], 1);
    expect(shown(mask)).toEqual([".....", ".###.", ".###.", ".###.", "....."]);
  });

  it("of two corners fills nothing", () => {
    const mask = emptyMask(3, 3);
    fillPolygon(mask, [{ row: 0, column: 0 }, { row: 2, column: 2 }], 1);
    expect(shown(mask).join("")).not.toContain("#");
  });
});

describe("regions", () => {
  const mask = drawn("##...", "...#.", "..##.", "#....");

  it("are sorted by size, and can be moved, found and put back", () => {
    const regions = regionsOf(mask);
    expect(regions.map(({ pixels }) => pixels)).toEqual([3, 2, 1]);
    expect(regionAt(regions, 2, 2)?.number).toBe(1);
    expect(regionAt(regions, 1, 2)).toBeUndefined();
    expect(shown(regionMask(regions[0], 4, 5))).toEqual([".....", "...#.", "..##.", "....."]);
    const moved = copyOf(mask);
    moveRegion(moved, regions[0], 1, 1);
    expect(shown(moved)).toEqual(["##...", ".....", "....#", "#..##"]);
  });

  it("joined by a corner are one", () => {
    expect(labelled(drawn("#.", ".#")).count).toBe(1);
    expect(labelled(drawn("#.", ".#"), false).count).toBe(2);
  });
});

describe("tidying", () => {
  it("fills holes but not bays", () => {
    expect(shown(holesFilled(drawn("####", "#.##", "##.#", "##.#")))).toEqual(["####", "####", "##.#", "##.#"]);
  });

  it("smooths away single pixels and keeps large shapes", () => {
    const mask = drawn("#.......", "........", "..####..", "..####..", "..####..", "..####..", "........", "........");
    const smooth = smoothed(mask, 1);
    expect(smooth.data[0]).toBe(0);
    expect(shown(smooth)[3]).toBe("..####..");
  });

  it("interpolates between two slices", () => {
    const first = drawn(".......", "..###..", "..###..", "..###..", ".......");
    const last = drawn(".......", ".......", "...#...", ".......", ".......");
    expect(interpolated(first, last, 0)).toEqual(first);
    expect(interpolated(first, last, 1)).toEqual(last);
    expect(shown(interpolated(first, last, 0.6))[2]).toBe("...#...");
    expect(signedDistance(first)[2 * 7 + 3]).toBe(1.5);
    expect(signedDistance(first)[0]).toBeCloseTo(0.5 - Math.sqrt(5));
  });
});
