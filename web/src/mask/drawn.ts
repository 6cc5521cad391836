/** For tests: masks drawn in text, # for lesion. */
import type { Mask } from "./mask";

export function drawn(...lines: string[]): Mask {
  return { rows: lines.length, columns: lines[0].length, data: Uint8Array.from(lines.join(""), (mark) => (mark === "#" ? 1 : 0)) };
}

export function shown({ rows, columns, data }: Mask): string[] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from(data.subarray(row * columns, (row + 1) * columns), (value) => (value === 1 ? "#" : ".")).join(""),
  );
}
