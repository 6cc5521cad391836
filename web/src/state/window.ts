/** Window and level: which values of the image are shown black and which white. */

export interface Window {
  centre: number;
  width: number;
  invert: boolean;
}

/** From the smallest to the largest value, but for the outermost share on either side. */
export function fullWindow(values: ArrayLike<number>, share = 0.001): Window {
  let [low, high] = [Infinity, -Infinity];
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > low)) return { centre: Number.isFinite(low) ? low : 0, width: 1, invert: false };
  const bins = new Uint32Array(1024);
  const scale = (bins.length - 1) / (high - low);
  for (let index = 0; index < values.length; index += 1) bins[Math.round((values[index] - low) * scale)] += 1;
  const aside = values.length * share;
  const first = firstBeyond(bins, aside, 1);
  const last = firstBeyond(bins, aside, -1);
  const [from, to] = last > first ? [low + first / scale, low + last / scale] : [low, high];
  return { centre: (from + to) / 2, width: to - from, invert: false };
}

function firstBeyond(bins: Uint32Array, aside: number, step: 1 | -1): number {
  let [sum, bin] = [0, step === 1 ? 0 : bins.length - 1];
  while (bin >= 0 && bin < bins.length) {
    sum += bins[bin];
    if (sum > aside) return bin;
    bin += step;
  }
  return step === 1 ? 0 : bins.length - 1;
}

/** A dragged window: to the right widens it, down darkens the image. */
export function dragged(window: Window, right: number, down: number, range: number): Window {
  const step = range / 512;
  return { ...window, centre: window.centre + down * step, width: Math.max(range / 4096, window.width + right * step) };
}

/** The shade of a value, 0 (black) to 255 (white). */
export function shadeOf({ centre, width, invert }: Window): (value: number) => number {
  const [low, scale] = [centre - width / 2, 255 / width];
  return (value) => {
    const shade = Math.max(0, Math.min(255, (value - low) * scale));
    return invert ? 255 - shade : shade;
  };
}
