import { Buffer } from "node:buffer";
import { crc32, inflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { drawn } from "../mask/drawn";
import { pngOf } from "./png";

it("writes a grey PNG of 8 bits with right check sums", async () => {
  const bytes = Buffer.from(await pngOf(drawn("#.#", "...")).arrayBuffer());
  expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24], bytes[25]]).toEqual([3, 2, 8, 0]);
  const length = bytes.readUInt32BE(33);
  const data = bytes.subarray(41, 41 + length);
  expect([...inflateSync(data)]).toEqual([0, 255, 0, 255, 0, 0, 0, 0]);
  expect(bytes.readUInt32BE(41 + length)).toBe(crc32(bytes.subarray(37, 41 + length)));
});
