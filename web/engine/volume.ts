import type { Modality, Pixels } from "./image";

export type Sides = readonly [slices: number, rows: number, columns: number];

/** Three axes, and where they point in the patient. */
export interface VolumeGrid {
  readonly shape: Sides;
  /** Distance of voxels along each axis; null where it is not known. */
  readonly spacingMm: Sides | null;
  /** Of the first voxel's centre: (z, y, x) of DICOM's patient system, millimetres. */
  readonly originMm: Sides;
  /** 9 cosines: a row a component of (z, y, x), a column an axis. */
  readonly direction: readonly number[];
}

/** A decoded volume: the same arrays as Python's reader gives. */
export interface Volume extends VolumeGrid {
  /** Each (slices, rows, columns), row-major; in the order of their time. */
  readonly phases: readonly Pixels[];
  readonly modality: Modality;
  /** Of the study, YYYY-MM-DD; empty where the files do not state it. */
  readonly studyDate: string;
  readonly source: string;
  readonly remarks: readonly string[];
}

/** Slices that rise to the head, rows to the back, columns to the patient's left. */
export const AXIAL: readonly number[] = [1, 0, 0, 0, 1, 0, 0, 0, 1];

export function voxelsOf([slices, rows, columns]: Sides): number {
  return slices * rows * columns;
}

/** The distances of voxels; 1 where they are not known. */
export function stepsOf({ spacingMm }: VolumeGrid): Sides {
  return spacingMm ?? [1, 1, 1];
}
