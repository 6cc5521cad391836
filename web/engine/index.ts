/** The engine: what Python does with an image, in the browser, with nothing leaving the device. */
export type * from "./api";
export { boxShape, type Box } from "./box";
export { MODALITIES, type Image, type Modality, type Pixels, type Region } from "./image";
export { EngineError, type ErrorKind } from "./errors";
export type * as Results from "./generated/results";
