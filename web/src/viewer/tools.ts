/** What a drag or click on the image does. */
import { lengthBetween } from "../mask/diameters";
import { intersection, isEmptyBox, type Box, type Mask, type Point } from "../mask/mask";
import { fillPolygon, moveRegion, stroke, valueAt } from "../mask/paint";
import { regionAt, regionsOf, type Region } from "../mask/regions";
import { smartStroke } from "../mask/smart-brush";
import { baseFor } from "../state/base";
import { changeLines, linesMoved, linesOf, putLines, type Lines } from "../state/lines";
import type { Session } from "../state/session";
import { greyOf } from "./grey";
import { diameterLines } from "./lines";

/** What a tool shows while it works. */
export interface Sketch {
  box?: Box;
  path?: readonly Point[];
  line?: readonly [Point, Point];
  brush?: { at: Point; radius: number };
  scribble?: Uint8Array;
}

export type ToolName =
  | "pan"
  | "window"
  | "inside"
  | "outside"
  | "box"
  | "scribble"
  | "scribble-outside"
  | "brush"
  | "eraser"
  | "smart"
  | "polygon"
  | "push"
  | "move"
  | "caliper"
  | "ruler"
  | "skin";

/** Tools with a radius. */
export const BRUSHES: readonly ToolName[] = ["brush", "eraser", "smart", "push", "scribble", "scribble-outside"];

export interface Surroundings {
  session: Session;
  /** Of the brushes, in pixels of the image. */
  radius: number;
  /** How near a handle is caught, in pixels of the image. */
  reach: number;
  /** The prompt has changed: outline what it points at. */
  ask: (label: string) => void;
  /** The ruler was laid. */
  laid: (a: Point, b: Point) => void;
}

export interface Tool {
  down(at: Point): void;
  move?(at: Point): void;
  up?(at: Point): void;
  cancel?(): void;
  /** Two clicks near each other, or Enter: ends what takes many clicks. */
  finish?(): void;
  sketch(): Sketch;
}

/** A tool of its own for every session; pan and window are the gestures' own. */
export function toolNamed(name: ToolName, around: Surroundings): Tool {
  switch (name) {
    case "inside":
    case "outside":
      return pointing(around, name);
    case "box":
      return boxing(around);
    case "scribble":
      return scribbling(around, 1);
    case "scribble-outside":
      return scribbling(around, 2);
    case "brush":
    case "eraser":
    case "push":
    case "smart":
      return brushing(around, name);
    case "polygon":
      return polygon(around);
    case "move":
      return moving(around);
    case "caliper":
    case "ruler":
    case "skin":
      return measuring(around, name);
    case "pan":
    case "window":
      return { down: () => undefined, sketch: () => ({}) };
  }
}

function pointing({ session, ask }: Surroundings, side: "inside" | "outside"): Tool {
  return {
    down: (at) => {
      const point = [Math.round(at.row), Math.round(at.column)] as const;
      if (!inImage(session, point[0], point[1])) return;
      const { prompt } = session.marks;
      const base = baseFor(session, (region) => side === "outside" || regionAt([region], point[0], point[1]) !== undefined);
      session.setMarks({ base, prompt: { ...prompt, [side]: [...prompt[side], point] } });
      ask(side === "inside" ? "Click inside" : "Click outside");
    },
    sketch: () => ({}),
  };
}

function inImage({ image }: Session, row: number, column: number): boolean {
  return row >= 0 && column >= 0 && row < image.rows && column < image.columns;
}

function boxing({ session, ask }: Surroundings): Tool {
  let [start, end]: (Point | null)[] = [null, null];
  const box = (a: Point, b: Point): Box => ({
    row0: Math.max(0, Math.round(Math.min(a.row, b.row))),
    column0: Math.max(0, Math.round(Math.min(a.column, b.column))),
    row1: Math.min(session.image.rows, Math.round(Math.max(a.row, b.row)) + 1),
    column1: Math.min(session.image.columns, Math.round(Math.max(a.column, b.column)) + 1),
  });
  return {
    down: (at) => {
      start = at;
      end = at;
    },
    move: (at) => {
      if (start !== null) end = at;
    },
    up: (at) => {
      if (start === null) return;
      const drawn = box(start, at);
      start = null;
      if (drawn.row1 - drawn.row0 < 3 || drawn.column1 - drawn.column0 < 3) return;
      const base = baseFor(session, (region) => !isEmptyBox(intersection(region.box, drawn)));
      session.setMarks({ base, prompt: { ...session.marks.prompt, box: drawn } });
      ask("Box");
    },
    cancel: () => {
      start = null;
    },
    sketch: () => (start !== null && end !== null ? { box: box(start, end) } : {}),
  };
}

function scribbling({ session, radius, ask }: Surroundings, label: 1 | 2): Tool {
  let last: Point | null = null;
  const { rows, columns } = session.image;
  const marked = { rows, columns, data: session.marks.prompt.scribble?.slice() ?? new Uint8Array(rows * columns) };
  const mark = (from: Point, to: Point): void => {
    // The stroke tells in 0 and 1; the pixels that it sets take the scribble's label.
    const line = { rows, columns, data: new Uint8Array(rows * columns) };
    stroke(line, from, to, Math.max(1, radius / 3), 1);
    line.data.forEach((value, index) => {
      if (value === 1) marked.data[index] = label;
    });
  };
  return {
    down: (at) => {
      last = at;
      marked.data = session.marks.prompt.scribble?.slice() ?? new Uint8Array(rows * columns);
      mark(at, at);
    },
    move: (at) => {
      if (last === null) return;
      mark(last, at);
      last = at;
    },
    up: () => {
      if (last === null) return;
      last = null;
      const base = baseFor(session, (region) => label === 2 || touches(region, marked));
      session.setMarks({ base, prompt: { ...session.marks.prompt, scribble: marked.data } });
      ask(label === 1 ? "Scribble in the lesion" : "Scribble in the background");
    },
    cancel: () => {
      last = null;
    },
    sketch: () => (last === null ? {} : { scribble: marked.data }),
  };
}

/** Whether any marked pixel lies in a region. */
function touches({ box, crop }: Region, { columns, data }: Mask): boolean {
  return crop.data.some((value, at) => {
    const [row, column] = [box.row0 + Math.floor(at / crop.columns), box.column0 + (at % crop.columns)];
    return value === 1 && data[row * columns + column] !== 0;
  });
}

const BRUSH_LABELS = { brush: "Brush", eraser: "Eraser", smart: "Smart brush", push: "Push the contour" };

function brushing({ session, radius }: Surroundings, kind: keyof typeof BRUSH_LABELS): Tool {
  let last: Point | null = null;
  let value: 0 | 1 = 1;
  const paint = (from: Point, to: Point): void => {
    const mask = session.mask();
    const frame = session.loaded();
    if (kind === "smart" && frame !== undefined) session.paint(smartStroke(mask, greyOf(frame), to, radius));
    else session.paint(stroke(mask, from, to, radius, value));
  };
  return {
    down: (at) => {
      session.beginEdit();
      // Pushed from within, the contour gives way to the outside; from without, to the inside.
      value = kind === "push" ? valueAt(session.mask(), at) : kind === "eraser" ? 0 : 1;
      last = at;
      paint(at, at);
    },
    move: (at) => {
      if (last === null) return;
      paint(last, at);
      last = at;
    },
    up: () => {
      if (last === null) return;
      last = null;
      session.endEdit(BRUSH_LABELS[kind]);
    },
    cancel: () => {
      last = null;
      session.cancelEdit();
    },
    sketch: () => ({}),
  };
}

function polygon({ session, reach }: Surroundings): Tool {
  let corners: Point[] = [];
  let pointer: Point | null = null;
  const close = (): void => {
    if (corners.length >= 3) {
      session.beginEdit();
      session.paint(fillPolygon(session.mask(), corners, 1));
      session.endEdit("Polygon");
    }
    corners = [];
  };
  return {
    down: (at) => {
      pointer = null;
      if (corners.length >= 3 && lengthBetween(corners[0], at) <= reach) close();
      else corners = [...corners, at];
    },
    move: (at) => {
      pointer = at;
    },
    cancel: () => {
      corners = [];
    },
    finish: close,
    sketch: () => ({ path: pointer === null || corners.length === 0 ? corners : [...corners, pointer] }),
  };
}

function moving({ session }: Surroundings): Tool {
  let held: { region: Region; from: Point; down: number; right: number } | null = null;
  return {
    down: (at) => {
      const region = regionAt(regionsOf(session.mask()), Math.round(at.row), Math.round(at.column));
      if (region === undefined) return;
      session.beginEdit();
      held = { region, from: at, down: 0, right: 0 };
    },
    move: (at) => {
      if (held === null) return;
      const [down, right] = [Math.round(at.row - held.from.row), Math.round(at.column - held.from.column)];
      if (down === held.down && right === held.right) return;
      session.restoreEdit();
      session.paint(moveRegion(session.mask(), held.region, down, right));
      held = { ...held, down, right };
    },
    up: () => {
      if (held !== null) session.endEdit("Move the lesion");
      held = null;
    },
    cancel: () => {
      held = null;
      session.cancelEdit();
    },
    sketch: () => ({}),
  };
}

/** Lays a line; the ends of lines that are there can be dragged. */
function measuring({ session, reach, laid }: Surroundings, kind: "caliper" | "ruler" | "skin"): Tool {
  let [start, end]: (Point | null)[] = [null, null];
  let drag: ((at: Point) => void) | null = null;
  let before: Lines | null = null;
  return {
    down: (at) => {
      drag = kind === "caliper" ? handleAt(session, at, reach) : null;
      before = linesOf(session);
      if (drag !== null) return;
      if (start !== null && lengthBetween(start, at) > reach) {
        lay(start, at);
        start = null;
        return;
      }
      start = at;
      end = at;
    },
    move: (at) => {
      if (drag !== null) drag(at);
      else if (start !== null) end = at;
    },
    up: (at) => {
      if (drag === null && start !== null && lengthBetween(start, at) > reach) {
        lay(start, at);
        start = null;
      }
      if (drag !== null && before !== null) linesMoved(session, "Move the end of a line", before);
      drag = null;
    },
    cancel: () => {
      if (drag !== null && before !== null) putLines(session, before);
      [start, drag] = [null, null];
    },
    sketch: () => (start !== null && end !== null ? { line: [start, end] } : {}),
  };

  function lay(a: Point, b: Point): void {
    if (kind === "ruler") laid(a, b);
    else if (kind === "skin") changeLines(session, "Skin line", () => { session.skin.lay([a, b]); });
    else changeLines(session, "Caliper", () => { session.setCalipers([...session.calipers, { frame: session.frame, ends: [a, b] }]); });
  }
}

/** The end of a line near a point, as a function that moves it. */
export function handleAt(session: Session, at: Point, reach: number): ((to: Point) => void) | null {
  for (const [index, caliper] of session.calipers.entries()) {
    if (caliper.frame !== session.frame) continue;
    for (const which of [0, 1] as const) {
      if (lengthBetween(caliper.ends[which], at) > reach) continue;
      return (to) => {
        session.setCalipers(session.calipers.map((one, other) => (other === index ? { ...one, ends: withEnd(one.ends, which, to) } : one)));
      };
    }
  }
  for (const { lesion, which: line, ends } of diameterLines(session)) {
    for (const which of [0, 1] as const) {
      if (lengthBetween(ends[which], at) > reach) continue;
      return (to) => { session.measurements.move(lesion, line, withEnd(ends, which, to)); };
    }
  }
  return null;
}

function withEnd(ends: [Point, Point], which: 0 | 1, to: Point): [Point, Point] {
  return which === 0 ? [to, ends[1]] : [ends[0], to];
}
