/** One channel of brightness for tools that look at edges. */
import type { Frame } from "../backend/backend";
import type { Grey } from "../mask/smart-brush";

const known = new WeakMap<Frame, Grey>();

/** The frame itself where it is grey; of colours the mean of the channels. */
export function greyOf(frame: Frame): Grey {
  let grey = known.get(frame);
  if (grey === undefined) {
    grey = { rows: frame.rows, columns: frame.columns, values: frame.channels === 1 ? frame.values : meanOf(frame) };
    known.set(frame, grey);
  }
  return grey;
}

function meanOf({ rows, columns, values }: Frame): Float32Array {
  const size = rows * columns;
  return Float32Array.from({ length: size }, (_, at) => (values[at] + values[size + at] + values[2 * size + at]) / 3);
}
