/** Reading an image file of any kind that is read on the device, by what is in it and not by its name. */
import type { Image } from "../image";
import type { JpegCodec } from "./codec";
import { readDicom } from "./dicom";
import { readJpeg } from "./jpeg";
import { readPng } from "./png";
import { unreadable, unsupported } from "./raster";
import { readTiff } from "./tiff";

const PNG = "\x89PNG\r\n\x1a\n";
const JPEG = "\xff\xd8\xff";
const TIFF = ["II*\0", "MM\0*"];
const OTHERS: [start: string, what: string][] = [
  ["BM", "a BMP picture"],
  ["II+\0", "a BigTIFF picture"],
  ["MM\0+", "a BigTIFF picture"],
  ["\x1f\x8b", "a gzip archive"],
  ["%PDF", "a PDF document"],
  ["PK\x03\x04", "a ZIP archive"],
  ["GIF8", "a GIF picture"],
  ["RIFF", "a WebP picture or a video"],
  ["\0\0\0\x0cjP", "a JPEG 2000 picture"],
  ["NRRD000", "an NRRD volume"],
  ["ObjectType", "a MetaImage volume"],
  ["NDims", "a MetaImage volume"],
];
const ALLOWED = "PNG, JPEG, TIFF, DICOM or NIfTI on the device";

/**
 * Read all images of a file: one a page of a TIFF, one a DICOM frame, one of any other file.
 *
 * @param onFraction told how much is done, 0 to 1.
 * @throws EngineError kind "unreadable" or "unsupported".
 */
export async function decode(
  file: File,
  codec: () => Promise<JpegCodec>,
  onFraction: (fraction: number) => void,
): Promise<Image[]> {
  const data = new Uint8Array(await file.arrayBuffer());
  const { name } = file;
  if (data.length === 0) throw unreadable(`${name}: is empty (0 bytes)`, "an image file");
  const head = String.fromCharCode(...data.subarray(0, 16));
  if (head.startsWith(PNG)) return [readPng(data, name)];
  if (head.startsWith(JPEG)) return [readJpeg(data, name, await codec())];
  if (TIFF.some((start) => head.startsWith(start))) return readTiff(data, name);
  if (String.fromCharCode(...data.subarray(128, 132)) === "DICM") {
    const images: Image[] = [];
    for (const { total, ...image } of readDicom(data, name, await codec())) {
      images.push(image);
      onFraction(images.length / total);
      // A message that cancels is received between two frames.
      await new Promise((resolve) => setTimeout(resolve));
    }
    return images;
  }
  const other = OTHERS.find(([start]) => head.startsWith(start));
  if (other) throw unsupported(`${name}: is ${other[1]}`, ALLOWED);
  throw unreadable(`${name}: is of a kind that is not known`, ALLOWED, "name an image file");
}
