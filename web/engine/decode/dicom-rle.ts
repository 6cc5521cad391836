/** RLE Lossless frames (DICOM PS3.5 annex G): PackBits, a segment for each byte of each sample. */
import { damaged } from "./raster";

const MOST_SEGMENTS = 15;
const HEADER_BYTES = 64;

/**
 * The cells of one frame, little-endian, (samples, rows, columns).
 *
 * @param pixels of one sample.
 * @param bytes of one cell.
 */
export function rleFrame(frame: Uint8Array, samples: number, pixels: number, bytes: number, name: string): Uint8Array {
  if (frame.length < HEADER_BYTES) throw damaged(name, "a compressed frame has no header");
  const header = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES);
  const count = header.getUint32(0, true);
  if (count !== samples * bytes || count > MOST_SEGMENTS) {
    throw damaged(name, `a compressed frame has ${count} segments in place of ${samples * bytes}`);
  }
  const starts = Array.from({ length: count }, (_, k) => header.getUint32(4 + 4 * k, true));
  const result = new Uint8Array(samples * pixels * bytes);
  starts.forEach((start, segment) => {
    const sample = Math.floor(segment / bytes);
    const place = bytes - 1 - (segment % bytes); // the highest byte comes first
    const values = unpacked(frame.subarray(start, starts[segment + 1] ?? frame.length), pixels, name);
    values.forEach((value, i) => (result[(sample * pixels + i) * bytes + place] = value));
  });
  return result;
}

function unpacked(segment: Uint8Array, length: number, name: string): Uint8Array {
  const result = new Uint8Array(length);
  let filled = 0;
  for (let at = 0; at < segment.length && filled < length; ) {
    const code = segment[at++];
    if (code > 128) {
      const end = at < segment.length ? filled + 257 - code : filled;
      result.fill(segment[at++], filled, end);
      filled = end;
    } else if (code < 128) {
      const part = segment.subarray(at, at + Math.min(code + 1, length - filled));
      result.set(part, filled);
      filled += part.length;
      at += code + 1;
    }
  }
  if (filled < length) throw damaged(name, "its compressed pixels end early");
  return result;
}
