/** Filters and morphology on a view, as OpenCV and SciPy compute them. */

/** A Gaussian of so many deviations as OpenCV takes for real numbers. */
export function gaussian(values: ArrayLike<number>, rows: number, columns: number, sigma: number, border: "reflect" | "repeat"): Float32Array {
  const reach = (Math.round(sigma * 8 + 1) | 1) >> 1;
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-((k - reach) ** 2) / (2 * sigma ** 2)));
  const sum = kernel.reduce((a, b) => a + b, 0);
  const weights = Float32Array.from(kernel, (weight) => weight / sum);
  const place = (at: number, side: number): number => {
    if (border === "repeat" || side === 1) return Math.min(Math.max(at, 0), side - 1);
    const period = 2 * (side - 1);
    const folded = ((at % period) + period) % period;
    return folded < side ? folded : period - folded;
  };
  const across = new Float32Array(rows * columns);
  const result = new Float32Array(rows * columns);
  for (let i = 0; i < across.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let total = 0;
    weights.forEach((weight, k) => (total += weight * values[row * columns + place(column + k - reach, columns)]));
    across[i] = total;
  }
  for (let i = 0; i < result.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let total = 0;
    weights.forEach((weight, k) => (total += weight * across[place(row + k - reach, rows) * columns + column]));
    result[i] = total;
  }
  return result;
}

/** The median of a square around each pixel; the edge's pixels repeat. */
export function medianOf(values: Float32Array, rows: number, columns: number, radius: number): Float32Array {
  const side = 2 * radius + 1;
  const window = new Float32Array(side * side);
  return values.map((_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let k = 0;
    for (let down = -radius; down <= radius; down++) {
      const y = Math.min(Math.max(row + down, 0), rows - 1);
      for (let along = -radius; along <= radius; along++) {
        window[k++] = values[y * columns + Math.min(Math.max(column + along, 0), columns - 1)];
      }
    }
    return window.sort()[window.length >> 1];
  });
}

/** Remove what a disc does not fit into; what is beyond the edge counts as the edge's pixels. */
export function opened(mask: Uint8Array, rows: number, columns: number, radius: number): Uint8Array {
  const [high, wide] = [rows + 2 * radius, columns + 2 * radius];
  const around = new Uint8Array(high * wide).map((_, i) => {
    const row = Math.min(Math.max(Math.floor(i / wide) - radius, 0), rows - 1);
    return mask[row * columns + Math.min(Math.max((i % wide) - radius, 0), columns - 1)];
  });
  const done = spread(spread(around, high, wide, radius, 0), high, wide, radius, 1);
  return mask.map((value, i) => value & done[(Math.floor(i / columns) + radius) * wide + (i % columns) + radius]);
}

/** Give each pixel a value that is anywhere within a disc around it. */
function spread(mask: Uint8Array, rows: number, columns: number, radius: number, value: 0 | 1): Uint8Array {
  const result = mask.slice();
  mask.forEach((one, i) => {
    if (one !== value) return;
    const [row, column] = [Math.floor(i / columns), i % columns];
    for (let down = -radius; down <= radius; down++) {
      for (let along = -radius; along <= radius; along++) {
        const [y, x] = [row + down, column + along];
        const isWithin = y >= 0 && y < rows && x >= 0 && x < columns;
        if (isWithin && down ** 2 + along ** 2 <= (radius + 0.3) ** 2) result[y * columns + x] = value;
      }
    }
  });
  return result;
}

/** Fill what does not reach the border by sides. */
export function filledHoles(mask: Uint8Array, rows: number, columns: number): Uint8Array {
  const result = new Uint8Array(mask.length).fill(1);
  const waiting: number[] = [];
  const visit = (row: number, column: number): void => {
    const at = row * columns + column;
    if (row < 0 || row >= rows || column < 0 || column >= columns || mask[at] || !result[at]) return;
    result[at] = 0;
    waiting.push(at);
  };
  for (let row = 0; row < rows; row++) [0, columns - 1].forEach((column) => { visit(row, column); });
  for (let column = 0; column < columns; column++) [0, rows - 1].forEach((row) => { visit(row, column); });
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const [row, column] = [Math.floor(at / columns), at % columns];
    visit(row - 1, column);
    visit(row + 1, column);
    visit(row, column - 1);
    visit(row, column + 1);
  }
  return result;
}
