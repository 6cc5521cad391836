/** The one field of EXIF that changes where a pixel lies. */

const ORIENTATION = 0x0112;
const SHORT = 3;
const LONG = 4;

/** The orientation, 1 to 8; 1 where the block is absent or damaged. */
export function exifOrientation(block: Uint8Array): number {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  try {
    const order = view.getUint16(0);
    if (order !== 0x4949 && order !== 0x4d4d) return 1;
    const isLittle = order === 0x4949;
    const at = view.getUint32(4, isLittle);
    const count = view.getUint16(at, isLittle);
    for (let i = 0; i < count; i++) {
      const entry = at + 2 + 12 * i;
      if (view.getUint16(entry, isLittle) !== ORIENTATION) continue;
      const kind = view.getUint16(entry + 2, isLittle);
      const value = kind === SHORT ? view.getUint16(entry + 8, isLittle) : kind === LONG ? view.getUint32(entry + 8, isLittle) : 1;
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}
