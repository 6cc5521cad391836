/** Where an image lies on the screen: zoom and pan. Screen points are CSS pixels from the canvas's upper left corner. */
import type { Point } from "../mask/mask";

export interface Viewport {
  /** Screen pixels along a row step and a column step of the image; they differ where its pixels are not square. */
  scaleRow: number;
  scaleColumn: number;
  /** Where the image's upper left corner lies. */
  top: number;
  left: number;
}

export interface Size {
  width: number;
  height: number;
}

/** The whole image in the middle of the canvas, its pixels in their true proportion (row step over column step). */
export function fitted(rows: number, columns: number, size: Size, aspect = 1): Viewport {
  const scaleColumn = Math.min(size.width / columns, size.height / (rows * aspect));
  const scaleRow = scaleColumn * aspect;
  return {
    scaleRow,
    scaleColumn,
    top: (size.height - rows * scaleRow) / 2,
    left: (size.width - columns * scaleColumn) / 2,
  };
}

/** Zooms by a factor about a point of the screen, which keeps its place in the image. */
export function zoomed(viewport: Viewport, factor: number, x: number, y: number): Viewport {
  const bounded = Math.max(0.05 / viewport.scaleColumn, Math.min(64 / viewport.scaleColumn, factor));
  return {
    scaleRow: viewport.scaleRow * bounded,
    scaleColumn: viewport.scaleColumn * bounded,
    top: y - (y - viewport.top) * bounded,
    left: x - (x - viewport.left) * bounded,
  };
}

export function panned(viewport: Viewport, right: number, down: number): Viewport {
  return { ...viewport, top: viewport.top + down, left: viewport.left + right };
}

/** The point of the image under a point of the screen; a pixel's centre is at whole numbers. */
export function toImage(viewport: Viewport, x: number, y: number): Point {
  return {
    row: (y - viewport.top) / viewport.scaleRow - 0.5,
    column: (x - viewport.left) / viewport.scaleColumn - 0.5,
  };
}

export function toScreen(viewport: Viewport, point: Point): { x: number; y: number } {
  return {
    x: (point.column + 0.5) * viewport.scaleColumn + viewport.left,
    y: (point.row + 0.5) * viewport.scaleRow + viewport.top,
  };
}
