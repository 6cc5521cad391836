/** PNG files of masks, and pictures of colour. */
import { zlibSync } from "fflate";
import { Told, type Frame } from "./backend";
import type { Mask } from "../mask/mask";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** A mask as a grey PNG of 8 bits: 0 background, `lesion` times its values for lesion. The browser's own would be of colour. */
export function pngOf({ rows, columns, data }: Mask, lesion = 255): Blob {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, columns);
  view.setUint32(4, rows);
  header[8] = 8;
  const lines = new Uint8Array(rows * (columns + 1));
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      lines[row * (columns + 1) + column + 1] = data[row * columns + column] * lesion;
    }
  }
  const parts = [SIGNATURE, chunk("IHDR", header), chunk("IDAT", zlibSync(lines, { level: 6 })), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}

/** Length, kind, content and check sum (PNG 3rd edition, section 5.3). */
function chunk(kind: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(Uint8Array.from(kind, (letter) => letter.charCodeAt(0)), 4);
  bytes.set(content, 8);
  view.setUint32(content.length + 8, checkSum(bytes.subarray(4, content.length + 8)));
  return bytes;
}

function checkSum(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** The levels of a grey PNG of 8 bits. */
export async function greyFromPng(blob: Blob): Promise<Mask> {
  const { width, height, data } = await pixelsOf(blob);
  return { rows: height, columns: width, data: Uint8Array.from({ length: width * height }, (_, at) => data[4 * at]) };
}

export async function maskFromPng(blob: Blob): Promise<Mask> {
  const { width, height, data } = await pixelsOf(blob);
  return { rows: height, columns: width, data: Uint8Array.from({ length: width * height }, (_, at) => (data[4 * at] > 0 ? 1 : 0)) };
}

/** A picture of colour, channel by channel. */
export async function rgbFromPng(blob: Blob): Promise<Frame> {
  const { width, height, data } = await pixelsOf(blob);
  const size = width * height;
  const values = new Uint8Array(3 * size);
  for (let at = 0; at < size; at += 1) {
    for (let channel = 0; channel < 3; channel += 1) values[channel * size + at] = data[4 * at + channel];
  }
  return { rows: height, columns: width, channels: 3, values };
}

async function pixelsOf(blob: Blob): Promise<ImageData> {
  const picture = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  if (context === null) throw new Told("The browser gave no canvas. Expected: one with a 2D context. Try: another browser.");
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, picture.width, picture.height);
}
