/** Draws an image with everything that lies on it, from the image up. */
import { rings, type Ring } from "../mask/contour";
import { boundsOf, type Box, type Mask, type Point } from "../mask/mask";
import type { Session } from "../state/session";
import { spacingOfAll } from "../state/spacing";
import { fitted, toScreen, type Size, type Viewport } from "../state/viewport";
import type { Window } from "../state/window";
import type { Display } from "./display";
import { paintHeat, paintImage, paintMask, type Rgb } from "./layers";
import { diameterLines } from "./lines";
import { drawLetters, drawLine, drawMarks, drawScaleBar, drawScribble, drawSkinLine, type Place } from "./marks";
import type { Sketch } from "./tools";

const CONTOUR = "#ff9f1c";
const MODEL = "#4cc9f0";
const MARGIN = "#ffffff";
const FILL: Rgb = [255, 159, 28];

export class Scene {
  viewport: Viewport | null = null;
  /** What the tool in use shows while it works. */
  sketch: Sketch = {};
  /** Where the keyboard's cross lies; null while the pointer is used. */
  cross: Point | null = null;

  private readonly pictures = { image: made(), heat: made(), mask: made() };
  private painted: { frame?: object; window?: Window; heat?: Float32Array; mask?: Uint8Array; revision?: number } = {};
  private contour: { revision: number; rings: Ring[] } | null = null;
  private size: Size = { width: 1, height: 1 };
  private due = 0;

  constructor(
    readonly canvas: HTMLCanvasElement,
    readonly session: Session,
    readonly display: Display,
  ) {}

  /** Follows the size of the element; the image is fitted anew where nothing was zoomed. */
  resize(size: Size): void {
    const ratio = window.devicePixelRatio;
    this.size = size;
    this.canvas.width = Math.max(1, Math.round(size.width * ratio));
    this.canvas.height = Math.max(1, Math.round(size.height * ratio));
    this.fit();
  }

  fit(): void {
    const { rows, columns, spacingMm } = this.session.image;
    const aspect = spacingMm === null ? 1 : spacingMm[0] / spacingMm[1];
    this.viewport = fitted(rows, columns, this.size, aspect);
    this.invalidate();
  }

  middle(): { x: number; y: number } {
    return { x: this.size.width / 2, y: this.size.height / 2 };
  }

  /** A part of the mask was painted: only that part of its layer changes. */
  paintedPart(box: Box): void {
    paintMask(this.pictures.mask, this.session.mask(), FILL, box);
    this.contour = null;
    this.invalidate();
  }

  /** The mask may have changed anywhere. */
  maskChanged(): void {
    this.painted.revision = undefined;
    this.contour = null;
    this.invalidate();
  }

  /** Draws with the next picture of the screen. */
  invalidate(): void {
    if (this.due !== 0) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      this.draw();
    });
  }

  /** Follows the element's size and what is painted; gives what ends it. */
  follow(): () => void {
    const size = new ResizeObserver(([entry]) => { this.resize(entry.contentRect); });
    size.observe(this.canvas);
    const unwatch = this.session.watchPainting((box) => { this.paintedPart(box); });
    return () => {
      size.disconnect();
      unwatch();
      this.close();
    };
  }

  close(): void {
    cancelAnimationFrame(this.due);
  }

  draw(): void {
    const context = this.canvas.getContext("2d");
    const frame = this.session.loaded();
    if (context === null || this.viewport === null) return;
    const ratio = window.devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.size.width, this.size.height);
    if (frame === undefined) return;
    this.repaint(frame);
    this.drawPictures(context);
    this.drawContours(context, ratio);
    this.drawDiameters(context);
    this.drawPointed(context);
    const spacing = spacingOfAll(this.session.image);
    if (spacing !== null) drawScaleBar(context, this.size, this.viewport.scaleColumn / spacing[1]);
  }

  private repaint(frame: NonNullable<ReturnType<Session["loaded"]>>): void {
    const { session, painted, pictures } = this;
    if (painted.frame !== frame || painted.window !== session.window) paintImage(pictures.image, frame, session.window);
    const probability = session.prediction?.probability ?? null;
    if (this.display.shown.heat && probability !== null && painted.heat !== probability) {
      paintHeat(pictures.heat, probability, frame.rows, frame.columns);
      painted.heat = probability;
    }
    const mask = session.mask();
    if (painted.mask !== mask.data || painted.revision === undefined) {
      paintMask(pictures.mask, mask, FILL);
      this.contour = null;
    }
    Object.assign(painted, { frame, window: session.window, mask: mask.data, revision: 1 });
  }

  private drawPictures(context: CanvasRenderingContext2D): void {
    const { shown } = this.display;
    context.imageSmoothingEnabled = (this.viewport?.scaleColumn ?? 1) < 3;
    this.put(context, this.pictures.image);
    context.globalAlpha = shown.opacity;
    context.imageSmoothingEnabled = false;
    if (shown.heat && this.session.prediction?.probability != null) this.put(context, this.pictures.heat);
    if (shown.fill) this.put(context, this.pictures.mask);
    context.globalAlpha = 1;
  }

  private put(context: CanvasRenderingContext2D, picture: HTMLCanvasElement): void {
    if (this.viewport === null) return;
    const { left, top, scaleColumn, scaleRow } = this.viewport;
    context.drawImage(picture, left, top, picture.width * scaleColumn, picture.height * scaleRow);
  }

  private drawContours(context: CanvasRenderingContext2D, ratio: number): void {
    const { shown } = this.display;
    const model = this.session.modelMask;
    if (shown.model && model !== undefined) this.stroke(context, ratio, ringsOf(model), MODEL, [5, 4]);
    const { margin } = this.session;
    if (shown.margin && margin !== null) {
      for (const one of [margin.outer, margin.inner]) this.stroke(context, ratio, ringsOf(one), MARGIN, [1.5, 4]);
    }
    if (!shown.contour) return;
    this.contour ??= { revision: 0, rings: ringsOf(this.session.mask()) };
    this.stroke(context, ratio, this.contour.rings, CONTOUR, []);
  }

  /** The path is laid in the image's own corners, then drawn with a line that does not grow with the zoom. */
  private stroke(context: CanvasRenderingContext2D, ratio: number, paths: readonly Ring[], colour: string, dash: number[]): void {
    if (this.viewport === null || paths.length === 0) return;
    const { left, top, scaleColumn, scaleRow } = this.viewport;
    context.beginPath();
    context.setTransform(ratio * scaleColumn, 0, 0, ratio * scaleRow, ratio * left, ratio * top);
    for (const path of paths) {
      context.moveTo(path[1], path[0]);
      for (let index = 2; index < path.length; index += 2) context.lineTo(path[index + 1], path[index]);
      context.closePath();
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.setLineDash(dash);
    context.lineJoin = "round";
    context.strokeStyle = "rgba(0, 0, 0, 0.6)";
    context.lineWidth = 3.5;
    context.stroke();
    context.strokeStyle = colour;
    context.lineWidth = 1.6;
    context.stroke();
    context.setLineDash([]);
  }

  private drawDiameters(context: CanvasRenderingContext2D): void {
    const { session, viewport } = this;
    if (viewport === null) return;
    const place = (point: Point): { x: number; y: number } => toScreen(viewport, point);
    if (this.display.shown.diameters && !session.editing) {
      for (const { ends } of diameterLines(session)) drawLine(context, place(ends[0]), place(ends[1]));
      if (session.lesions.length > 1 || session.captions.size > 0) this.drawNumbers(context, place);
      this.drawSkin(context, place);
    }
    session.calipers.forEach(({ frame, ends }, index) => {
      if (frame === session.frame) drawLine(context, place(ends[0]), place(ends[1]), String.fromCharCode(65 + (index % 26)));
    });
  }

  /** The skin line that a person has laid, and the way to it where that is asked for. */
  private drawSkin(context: CanvasRenderingContext2D, place: (point: Point) => Place): void {
    const { skin, lesions } = this.session;
    if (skin.line !== null) drawSkinLine(context, place(skin.line[0]), place(skin.line[1]));
    if (!this.display.shown.skin) return;
    for (const lesion of lesions.slice(0, 20)) {
      const way = skin.from(lesion);
      if (way !== null && way.length > 0) drawLine(context, place(way.ends[0]), place(way.ends[1]));
    }
  }

  private drawNumbers(context: CanvasRenderingContext2D, place: (point: Point) => { x: number; y: number }): void {
    for (const { region } of this.session.lesions.slice(0, 50)) {
      const { x, y } = place({ row: region.box.row0, column: region.box.column1 });
      const caption = this.session.captions.get(region.number);
      drawLetters(context, caption === undefined ? String(region.number) : `${region.number}: ${caption}`, { x: x + 4, y }, CONTOUR);
    }
  }

  private drawPointed(context: CanvasRenderingContext2D): void {
    const { session, viewport, sketch } = this;
    if (viewport === null) return;
    const { prompt } = session.marks;
    const scribble = sketch.scribble ?? prompt.scribble;
    if (scribble !== null) drawScribble(context, scribble, session.image.columns, viewport);
    drawMarks(context, prompt, sketch, this.cross, viewport);
  }
}

function ringsOf(mask: Mask): Ring[] {
  return rings(mask, boundsOf(mask));
}

function made(): HTMLCanvasElement {
  return document.createElement("canvas");
}
