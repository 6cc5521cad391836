/** Damage of JPEG data that libjpeg-turbo decodes without a word; what src/breastseg/io/codestream.py looks for. */

const START_OF_SCAN = 0xda;
const END = 0xd9;
const TABLES = 0xc4;
const PROGRESSIVE = 0xc2;
/** 96 bits: some twenty coefficients alike, which no scan has. */
const LONGEST_RUN = 12;

/** Why the coded data are not whole; empty if nothing is seen. `frame` is where the marker of the frame header stands. */
export function silentDamage(file: Uint8Array, frame: number): string {
  // The later scans of a progressive image add bits, and may well repeat a byte.
  if (file[frame + 1] === PROGRESSIVE) return hasAllScans(file, frame) ? "" : "its last scans are missing";
  return hasHole(file) ? "a part of its coded data is one byte over and over" : "";
}

/**
 * Whether coded data hold one byte over and over that is no constant part of the image.
 *
 * A disk or a network fills what it has lost with one byte. The code of an image repeats itself only where the image
 * does, and there it repeats the code of "no difference" and "end of block" (ISO/IEC 10918-1 F.1.2).
 */
function hasHole(file: Uint8Array): boolean {
  const { scan, constant } = headerOf(file);
  const end = Math.max(scan, lastEnd(file));
  for (let from = scan; from < end; ) {
    let to = from + 1;
    while (to < end && file[to] === file[from]) to++;
    if (to - from >= LONGEST_RUN && file[from] !== 0xff) {
      const bits = file[from].toString(2).padStart(8, "0");
      if (constant === "" || !constant.repeat(16).includes(bits.repeat(constant.length))) return true;
    }
    from = to;
  }
  return false;
}

/** Where the first scan begins, and the bits of a unit that repeats the one before it; empty if unknown. */
function headerOf(file: Uint8Array): { scan: number; constant: string } {
  const same = new Map<number, string>();
  const blocks = new Map<number, number>();
  let at = 2;
  while (at + 4 <= file.length && file[at] === 0xff && file[at + 1] !== START_OF_SCAN) {
    const marker = file[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const end = at + 2 + lengthAt(file, at);
    if (marker === TABLES) codesOfZero(file.subarray(at + 4, end)).forEach((code, table) => same.set(table, code));
    else if (isFrameHeader(marker)) {
      blocks.clear();
      for (let n = at + 10; n < end - 2; n += 3) blocks.set(file[n], (file[n + 1] >> 4) * (file[n + 1] & 15));
    }
    at = end;
  }
  const count = at + 4 < file.length ? file[at + 4] : 0;
  let constant = "";
  for (let n = at + 5; n < Math.min(at + 5 + 2 * count, file.length - 1); n += 2) {
    const once = (same.get(file[n + 1] >> 4) ?? "") + (same.get(16 + (file[n + 1] & 15)) ?? "");
    constant += once.repeat(count > 1 ? (blocks.get(file[n]) ?? 1) : 1);
  }
  return { scan: at, constant };
}

/** The code of symbol 0 in each Huffman table, by its class and number; C.2, empty if none. */
function codesOfZero(tables: Uint8Array): Map<number, string> {
  const found = new Map<number, string>();
  for (let at = 0; at + 17 <= tables.length; ) {
    const counts = tables.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const symbols = tables.subarray(at + 17, at + 17 + total);
    let [code, number, text] = [0, 0, ""];
    counts.forEach((count, index) => {
      for (let k = 0; k < count; k++, code++, number++) {
        if (symbols[number] === 0) text = code.toString(2).padStart(index + 1, "0");
      }
      code *= 2;
    });
    found.set(tables[at], text);
    at += 17 + total;
  }
  return found;
}

/**
 * Whether a progressive image has each coefficient of each component to its last bit (G.1.1.1.1); a file that is cut
 * between two scans decodes without a complaint.
 */
function hasAllScans(file: Uint8Array, frame: number): boolean {
  const missing = new Set<number>();
  for (let n = 0; n < file[frame + 9]; n++) {
    for (let k = 0; k < 64; k++) missing.add(file[frame + 10 + 3 * n] * 64 + k);
  }
  let at = frame;
  while (at + 4 <= file.length && file[at + 1] !== END) {
    if (file[at] !== 0xff) return false;
    const marker = file[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const count = file[at + 4];
    if (marker === START_OF_SCAN && at + 8 + 2 * count <= file.length) {
      const [first, last, bits] = file.subarray(at + 5 + 2 * count);
      for (let n = 0; n < count && (bits & 15) === 0; n++) {
        for (let k = first; k <= last; k++) missing.delete(file[at + 5 + 2 * n] * 64 + k);
      }
    }
    at += 2 + lengthAt(file, at);
    if (marker === START_OF_SCAN) at = endOfCodedData(file, at);
  }
  return missing.size === 0;
}

/** The next marker that is no restart (B.1.1.5), or the end of the file. */
function endOfCodedData(file: Uint8Array, start: number): number {
  for (let at = start; at + 1 < file.length; at++) {
    const next = file[at + 1];
    if (file[at] === 0xff && next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return file.length;
}

export function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** Where the last end marker stands; -1 where there is none. */
export function lastEnd(file: Uint8Array): number {
  for (let at = file.length - 2; at >= 2; at--) if (file[at] === 0xff && file[at + 1] === END) return at;
  return -1;
}

function lengthAt(file: Uint8Array, at: number): number {
  return file[at + 2] * 256 + file[at + 3];
}
