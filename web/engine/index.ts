/** The engine: what Python does with an image, in the browser, with nothing leaving the device. */
export type * from "./api";
export { breastRegion } from "./breast";
export { boxShape, intersection, type Box } from "./box";
export type { Bundle, Confidence, Conformal, InputSpec, OutputSpec, PlattScaling, PromptSpec, VolumeSpec } from "./bundle";
export { createEngine, type EngineOptions } from "./client";
export { EngineError, type ErrorKind } from "./errors";
export type * as Results from "./generated/results";
export { MODALITIES, type Image, type Modality, type Pixels, type Region } from "./image";
export type { Sides, Volume, VolumeGrid } from "./volume";
