/** libjpeg-turbo in WebAssembly. */
import makeJpegCodec from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs";

export interface JpegDecoder {
  /** Memory of so many bytes for a file. */
  getEncodedBuffer(length: number): Uint8Array;
  /** @throws a number on damaged data. */
  decode(): void;
  getDecodedBuffer(): Uint8ClampedArray;
  delete(): void;
}

export interface JpegCodec {
  readonly JPEGDecoder: new () => JpegDecoder;
}

/** The codec from the bytes of its WebAssembly. */
export function jpegCodec(wasmBinary: ArrayBuffer): Promise<JpegCodec> {
  // What the C library prints of a damaged file comes as an exception too.
  const silent = (): void => undefined;
  return makeJpegCodec({ wasmBinary, print: silent, printErr: silent });
}
