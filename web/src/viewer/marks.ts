/** Lines, points and brushes on the screen. */
import type { Prompt } from "../backend/backend";
import type { Point } from "../mask/mask";
import { toScreen, type Size, type Viewport } from "../state/viewport";
import type { Sketch } from "./tools";

const INSIDE = "#57f287";
const OUTSIDE = "#ff5d73";

export interface Place {
  x: number;
  y: number;
}

/** Lines of this program are pink dashes between open diamonds, as on Python's overlays: no scanner draws them so. */
export const RULER = "#ff64c8";

export function drawLine(context: CanvasRenderingContext2D, a: Place, b: Place, label = ""): void {
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  const arm = Math.min(5.5, Math.max(2, length / 6));
  const [dx, dy] = length === 0 ? [0, 0] : [((b.x - a.x) * arm) / length, ((b.y - a.y) * arm) / length];
  for (const [style, width] of [["rgba(0, 0, 0, 0.65)", 4], [RULER, 1.8]] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    for (const { x, y } of [a, b]) {
      context.moveTo(x, y - arm);
      context.lineTo(x + arm, y);
      context.lineTo(x, y + arm);
      context.lineTo(x - arm, y);
      context.closePath();
    }
    context.stroke();
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(a.x + dx, a.y + dy);
    context.lineTo(b.x - dx, b.y - dy);
    context.stroke();
    context.setLineDash([]);
  }
  if (label !== "") drawLetters(context, label, { x: b.x + 9, y: b.y + 4 }, RULER);
}

/** A skin line with its name, and dots where it goes on straight beyond its ends. */
export function drawSkinLine(context: CanvasRenderingContext2D, a: Place, b: Place): void {
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  const far = length === 0 ? 0 : Math.hypot(context.canvas.width, context.canvas.height) / length;
  for (const [from, to] of [[a, b], [b, a]]) {
    const end = { x: to.x + (to.x - from.x) * far, y: to.y + (to.y - from.y) * far };
    for (const [style, width] of [["rgba(0, 0, 0, 0.65)", 4], [RULER, 1.8]] as const) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.setLineDash([2, 8]);
      context.beginPath();
      context.moveTo(to.x, to.y);
      context.lineTo(end.x, end.y);
      context.stroke();
    }
  }
  context.setLineDash([]);
  drawLine(context, a, b, "skin");
}

export function drawLetters(context: CanvasRenderingContext2D, text: string, { x, y }: Place, colour: string): void {
  context.font = "600 13px system-ui, sans-serif";
  // letters that would leave the view at its right edge begin further left
  const right = context.canvas.width / context.getTransform().a - context.measureText(text).width - 4;
  const left = Math.max(4, Math.min(x, right));
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0, 0, 0, 0.8)";
  context.strokeText(text, left, y);
  context.fillStyle = colour;
  context.fillText(text, left, y);
}

/** A bar of a round number of millimetres in the lower right corner. */
export function drawScaleBar(context: CanvasRenderingContext2D, size: Size, pixelsAMm: number): void {
  const most = (0.2 * size.width) / pixelsAMm;
  const decade = 10 ** Math.floor(Math.log10(most));
  const millimetres = ([5, 2, 1].find((step) => step * decade <= most) ?? 1) * decade;
  const [right, bottom, length] = [size.width - 14, size.height - 14, millimetres * pixelsAMm];
  for (const [style, width] of [["#000", 5], [RULER, 2]] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(right - length, bottom - 5);
    context.lineTo(right - length, bottom);
    context.lineTo(right, bottom);
    context.lineTo(right, bottom - 5);
    context.stroke();
  }
  drawLetters(context, `${Number(millimetres.toPrecision(1))} mm`, { x: right - length, y: bottom - 10 }, RULER);
}

export function drawMarks(context: CanvasRenderingContext2D, prompt: Prompt, sketch: Sketch, cross: Point | null, viewport: Viewport): void {
  const place = (row: number, column: number): Place => toScreen(viewport, { row, column });
  for (const [row, column] of prompt.inside) drawSign(context, place(row, column), INSIDE, true);
  for (const [row, column] of prompt.outside) drawSign(context, place(row, column), OUTSIDE, false);
  const box = sketch.box ?? prompt.box;
  if (box !== null) {
    const a = place(box.row0 - 0.5, box.column0 - 0.5);
    const b = place(box.row1 - 0.5, box.column1 - 0.5);
    dashed(context, () => {
      context.rect(a.x, a.y, b.x - a.x, b.y - a.y);
    });
  }
  const { path } = sketch;
  if (path !== undefined && path.length > 0) {
    dashed(context, () => {
      path.forEach((point, index) => {
        const { x, y } = toScreen(viewport, point);
        if (index === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      });
    });
    for (const point of path) drawDot(context, toScreen(viewport, point));
  }
  if (sketch.line !== undefined) drawLine(context, toScreen(viewport, sketch.line[0]), toScreen(viewport, sketch.line[1]));
  if (sketch.brush !== undefined) {
    const { x, y } = toScreen(viewport, sketch.brush.at);
    const radius = Math.max(sketch.brush.radius, 0.5);
    dashed(context, () => {
      context.ellipse(x, y, radius * viewport.scaleColumn, radius * viewport.scaleRow, 0, 0, 2 * Math.PI);
    });
  }
  if (cross !== null) drawCross(context, toScreen(viewport, cross));
}

/** The scribbles, a small square a marked pixel. */
export function drawScribble(context: CanvasRenderingContext2D, scribble: Uint8Array, columns: number, viewport: Viewport): void {
  for (let at = 0; at < scribble.length; at += 1) {
    if (scribble[at] === 0) continue;
    const row = Math.floor(at / columns);
    const { x, y } = toScreen(viewport, { row: row - 0.5, column: at - row * columns - 0.5 });
    context.fillStyle = scribble[at] === 1 ? INSIDE : OUTSIDE;
    context.fillRect(x, y, viewport.scaleColumn + 0.5, viewport.scaleRow + 0.5);
  }
}

/** A plus for lesion, a minus for background: told apart without colour. */
function drawSign(context: CanvasRenderingContext2D, { x, y }: Place, colour: string, plus: boolean): void {
  for (const [style, width] of [["#000", 5], [colour, 2.5]] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x - 6, y);
    context.lineTo(x + 6, y);
    if (plus) {
      context.moveTo(x, y - 6);
      context.lineTo(x, y + 6);
    }
    context.stroke();
  }
}

function drawDot(context: CanvasRenderingContext2D, { x, y }: Place): void {
  context.fillStyle = "#fff";
  context.fillRect(x - 2.5, y - 2.5, 5, 5);
}

function drawCross(context: CanvasRenderingContext2D, { x, y }: Place): void {
  for (const [style, width] of [["#000", 4], ["#fff", 1.5]] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 14 * dx, y + 14 * dy);
    }
    context.stroke();
  }
}

function dashed(context: CanvasRenderingContext2D, trace: () => void): void {
  context.beginPath();
  trace();
  context.strokeStyle = "#000";
  context.lineWidth = 2.5;
  context.stroke();
  context.setLineDash([4, 3]);
  context.strokeStyle = "#fff";
  context.lineWidth = 1.2;
  context.stroke();
  context.setLineDash([]);
}
