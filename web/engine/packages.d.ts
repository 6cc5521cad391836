declare module "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs" {
  const make: (options: {
    wasmBinary: ArrayBuffer;
    print: () => void;
    printErr: () => void;
  }) => Promise<import("./decode/codec").JpegCodec>;
  export default make;
}

declare module "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?url" {
  const address: string;
  export default address;
}
