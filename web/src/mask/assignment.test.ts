import { expect, it } from "vitest";
import { cheapest } from "./assignment";

/** Numbers from 0 to 1 that are the same in every run (a linear congruential generator). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (1664525 * state + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

function permutations(values: readonly number[]): number[][] {
  return values.length === 0 ? [[]] : values.flatMap((value) => permutations(values.filter((other) => other !== value)).map((rest) => [value, ...rest]));
}

it("costs as little as the best of all permutations", () => {
  const random = numbers(7);
  for (let trial = 0; trial < 40; trial += 1) {
    const size = 1 + (trial % 5);
    const costs = Array.from({ length: size }, () => Array.from({ length: size }, () => (random() < 0.3 ? 1 : random() * 3)));
    const sum = (columns: readonly number[]): number => columns.reduce((total, column, row) => total + costs[row][column], 0);
    const found = cheapest(costs);
    expect([...found].sort((a, b) => a - b)).toEqual([...costs.keys()]);
    expect(sum(found)).toBeCloseTo(Math.min(...permutations([...costs.keys()]).map(sum)));
  }
});
