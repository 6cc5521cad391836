/** Arithmetic as Python does it, so that both come to the same pixels. */

/** To the nearest integer, and a half to the even one. */
export function roundEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest > 0.5 ? down + 1 : down;
  return down % 2 === 0 ? down : down + 1;
}

/** A length in steps as a whole number of them; what is within a thousandth of a half counts as one. */
export function stepsIn(length: number): number {
  const half = Math.floor(length) + 0.5;
  return Math.max(1, roundEven(Math.abs(length - half) < 1e-3 ? half : length));
}

/** By linear interpolation between the ordered values; `fraction` is 0 to 1. */
export function quantile(values: ArrayLike<number>, fraction: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), fraction);
}

/** The same of values that are in order. */
export function quantileOfSorted(sorted: Float64Array, fraction: number): number {
  const place = fraction * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/** Rounded to four significant digits, as sizes are written in the results. */
export function significant(value: number): number {
  const [digits, exponent] = value.toExponential(EXACT).split("e");
  return Number(`${cut(digits, 3)}e${exponent}`);
}

/** Rounded to so many decimals, as probabilities and places are written in the results. */
export function rounded(value: number, decimals: number): number {
  return Number(cut(value.toFixed(EXACT), decimals));
}

/** More digits than a number of these sizes has: its decimal form is then exact. */
const EXACT = 60;

/** A decimal form with fewer decimals; a half goes to the even digit, which JavaScript's own rounding does not do. */
function cut(text: string, decimals: number): string {
  const end = text.indexOf(".") + 1 + decimals;
  const kept = text.slice(0, end);
  const rest = text.slice(end);
  const isHalf = /^50*$/.test(rest);
  const isUp = isHalf ? Number(kept.at(-1)) % 2 === 1 : rest >= "5";
  if (!isUp) return kept;
  const unit = 10 ** -decimals;
  return (Number(kept) + (text.startsWith("-") ? -unit : unit)).toFixed(decimals);
}
