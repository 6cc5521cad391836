/**
 * Measure the engine in headless Chromium: from a dropped 512x512 PNG to its mask, and frames a second.
 *
 *     npm run bench
 */
/* eslint-disable no-console */
import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";
import { runnerImport } from "vite";

const SIDE = 512;
const RUNS = 3;
const FRAMES = 40;

/** A PNG of speckle with a dark ellipse. */
function phantom() {
  const raw = new Uint8Array(SIDE * (SIDE + 1));
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const inside = ((row / SIDE - 0.45) / 0.16) ** 2 + ((column / SIDE - 0.5) / 0.2) ** 2 < 1;
      raw[row * (SIDE + 1) + column + 1] = (inside ? 25 : 110) + ((Math.imul(row * SIDE + column, 2654435761) >>> 26) & 63);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header[8] = 8;
  return [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...chunk("IHDR", header), ...chunk("IDAT", deflateSync(raw)), ...chunk("IEND", Buffer.alloc(0))];
}

function chunk(type, body) {
  const part = Buffer.concat([Buffer.from(type), body]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(body.length, 0);
  let crc = ~0;
  for (const byte of part) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  ends.writeUInt32BE(~crc >>> 0, 4);
  return [...ends.subarray(0, 4), ...part, ...ends.subarray(4)];
}

const { module } = await runnerImport("./tests/browser/chromium.ts");
for (const isIsolated of [true, false]) {
  const browser = await module.openBrowser(isIsolated);
  const threads = isIsolated ? "threads" : "one thread";
  for (const name of ["ultrasound", "ultrasound-fast"]) {
    const found = [];
    for (let run = 0; run < RUNS; run++) {
      found.push(
        await browser.page.evaluate(([one, file, frames]) => window.actions.speed(one, file, frames), [name, phantom(), FRAMES]),
      );
    }
    const median = (key) => found.map((one) => one[key]).sort((a, b) => a - b)[RUNS >> 1];
    console.log(
      `${name}, ${threads}: load ${median("load_ms").toFixed(0)} ms, drop to mask ${median("drop_to_mask_ms").toFixed(0)} ms, ` +
        `${median("frames_a_second").toFixed(1)} frames a second (best ${Math.max(...found.map((one) => one.frames_a_second)).toFixed(1)})`,
    );
  }
  await browser.close();
}
process.exit(0);
