/** "The map" of docs/reference/bundle.md: what the network says of its input. */
import type { OutputSpec } from "./bundle";
import { mirrored, plane, type Plane } from "./plane";

const LEAST = 1e-7;

/** Runs (channels, rows, columns) and gives (outputs, rows, columns), 0 to 1. */
export type Network = (input: Float32Array) => Promise<Float32Array>;

/** The network's maps at the bundle's temperature, averaged with those of the mirrored input. */
export async function networkMaps(
  network: Network,
  input: Float32Array,
  [rows, columns]: readonly [number, number],
  output: OutputSpec,
): Promise<Plane[]> {
  const maps = await ask(network, input, rows, columns, output.temperature);
  if (!output.flipAverage) return maps;
  const flipped = mirrored(plane((input.length / columns) | 0, columns, Float32Array.from(input))).data;
  const others = await ask(network, flipped, rows, columns, output.temperature);
  return maps.map((map, k) => {
    const other = mirrored(others[k]).data;
    return plane(rows, columns, map.data.map((value, i) => (value + other[i]) / 2));
  });
}

async function ask(
  network: Network,
  input: Float32Array,
  rows: number,
  columns: number,
  temperature: number,
): Promise<Plane[]> {
  const said = await network(input);
  const area = rows * columns;
  const maps = Array.from({ length: said.length / area }, (_, k) =>
    plane(rows, columns, said.slice(k * area, (k + 1) * area)),
  );
  if (temperature !== 1) temper(maps, temperature);
  return maps;
}

/** Temperature scaling, in place. */
export function temper(maps: readonly Plane[], temperature: number): void {
  if (maps.length === 1) {
    const { data } = maps[0];
    for (let i = 0; i < data.length; i++) {
      const p = Math.min(Math.max(data[i], LEAST), 1 - LEAST);
      data[i] = 1 / (1 + Math.exp(-(Math.log(p) - Math.log(1 - p)) / temperature));
    }
    return;
  }
  for (let i = 0; i < maps[0].data.length; i++) {
    const powers = maps.map(({ data }) => Math.max(data[i], LEAST) ** (1 / temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    maps.forEach(({ data }, k) => (data[i] = powers[k] / sum));
  }
}

/** Whether each channel of the input has one value: then nothing is to be seen, and no lesion. */
export function isConstant(input: Float32Array, area: number): boolean {
  for (let from = 0; from < input.length; from += area) {
    for (let i = from; i < from + area; i++) if (input[i] !== input[from]) return false;
  }
  return true;
}

/** What is said of an input in which nothing is to be seen: background. */
export function emptyMaps(outputs: number, [rows, columns]: readonly [number, number]): Plane[] {
  const maps = Array.from({ length: outputs }, () => plane(rows, columns));
  if (outputs > 1) maps[0].data.fill(1);
  return maps;
}
