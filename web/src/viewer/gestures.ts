/** From pointers, wheel and keys to what happens on the image. */
import type { Point } from "../mask/mask";
import { panned, toImage, zoomed } from "../state/viewport";
import { dragged } from "../state/window";
import type { Scene } from "./scene";
import { BRUSHES, toolNamed, type Surroundings, type Tool, type ToolName } from "./tools";

/** Handles are caught within so many pixels of the screen: a fingertip is less exact than a mouse. */
const REACH = { mouse: 9, pen: 12, touch: 24 } as const;

interface Finger {
  x: number;
  y: number;
}

type Drag = "tool" | "pan" | "window" | "pinch" | null;

export interface Hooks {
  ask: (label: string) => void;
  laid: (a: Point, b: Point) => void;
}

export class Gestures {
  private fingers = new Map<number, Finger>();
  private drag: Drag = null;
  private tool: Tool | null = null;
  private name: ToolName = "pan";
  private radius = 8;
  private device: keyof typeof REACH = "mouse";

  constructor(
    private readonly scene: Scene,
    private readonly hooks: Hooks,
  ) {
    this.choose("pan", 8);
  }

  /** Takes another tool or another size of brush; what was begun is given up. */
  choose(name: ToolName, radius: number): void {
    if (name !== this.name) this.tool?.cancel?.();
    this.name = name;
    this.radius = radius;
    this.tool = toolNamed(name, this.around());
    this.sketch(null);
  }

  listen(canvas: HTMLCanvasElement): () => void {
    const stop = new AbortController();
    const options = { signal: stop.signal };
    canvas.addEventListener("pointerdown", this.down, options);
    canvas.addEventListener("pointermove", this.move, options);
    canvas.addEventListener("pointerup", this.up, options);
    canvas.addEventListener("pointercancel", this.cancel, options);
    canvas.addEventListener("pointerleave", () => { this.sketch(null); }, options);
    canvas.addEventListener("wheel", this.wheel, { ...options, passive: false });
    canvas.addEventListener("contextmenu", (event) => { event.preventDefault(); }, options);
    canvas.addEventListener("dblclick", () => { this.tool?.finish?.(); this.sketch(null); }, options);
    return () => { stop.abort(); };
  }

  // --- the keyboard's cross -------------------------------------------------------------

  /** Moves the cross by pixels of the screen; it starts in the middle of what is seen. */
  moveCross(right: number, down: number): void {
    const { scene } = this;
    if (scene.viewport === null) return;
    const { x, y } = scene.middle();
    const from = scene.cross ?? toImage(scene.viewport, x, y);
    const { rows, columns } = scene.session.image;
    scene.cross = {
      row: Math.max(0, Math.min(rows - 1, from.row + down / scene.viewport.scaleRow)),
      column: Math.max(0, Math.min(columns - 1, from.column + right / scene.viewport.scaleColumn)),
    };
    this.tool?.move?.(scene.cross);
    this.sketch(scene.cross);
  }

  /** Presses or lets go at the cross. Tools that are dragged are pressed once and let go at the second time. */
  pressAtCross(): void {
    const at = this.scene.cross;
    if (at === null || this.tool === null) return;
    if (this.drag === "tool") {
      this.tool.up?.(at);
      this.drag = null;
    } else {
      this.tool.down(at);
      if (["inside", "outside", "polygon", "caliper", "ruler", "skin"].includes(this.name)) this.tool.up?.(at);
      else this.drag = "tool";
    }
    this.sketch(at);
  }

  finish(): void {
    this.tool?.finish?.();
    this.sketch(this.scene.cross);
  }

  giveUp(): void {
    this.tool?.cancel?.();
    this.drag = null;
    this.sketch(null);
  }

  zoomBy(factor: number): void {
    const { x, y } = this.scene.middle();
    this.view(factor, x, y);
  }

  // --- pointers -------------------------------------------------------------------------

  private readonly down = (event: PointerEvent): void => {
    const canvas = this.scene.canvas;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    this.scene.cross = null;
    this.device = event.pointerType === "touch" ? "touch" : event.pointerType === "pen" ? "pen" : "mouse";
    this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    if (this.fingers.size === 2) {
      // The second finger shows that a zoom is meant: what the first one began is taken back.
      if (this.drag === "tool") this.tool?.cancel?.();
      this.drag = "pinch";
    } else if (this.fingers.size === 1) {
      this.drag = this.dragOf(event);
      if (this.drag === "tool") {
        this.tool = this.tool !== null && ["polygon", "caliper", "ruler", "skin"].includes(this.name) ? this.tool : toolNamed(this.name, this.around());
        this.tool.down(this.at(event));
      }
    }
    this.sketch(this.at(event));
  };

  private dragOf(event: PointerEvent): Drag {
    if (event.button === 2) return "window";
    if (event.button === 1 || event.altKey) return "pan";
    return this.name === "pan" || this.name === "window" ? this.name : "tool";
  }

  private readonly move = (event: PointerEvent): void => {
    const finger = this.fingers.get(event.pointerId);
    const [right, down] = finger === undefined ? [0, 0] : [event.offsetX - finger.x, event.offsetY - finger.y];
    if (this.drag === "pinch" && finger !== undefined) this.pinch(event, finger);
    else if (this.drag === "pan" && this.scene.viewport !== null) {
      this.scene.viewport = panned(this.scene.viewport, right, down);
      this.scene.invalidate();
    } else if (this.drag === "window") {
      const { image, window } = this.scene.session;
      this.scene.session.setWindow(dragged(window, right, down, Math.max(image.high - image.low, 1e-6)));
    } else if (this.drag === "tool") {
      const events = event.getCoalescedEvents();
      for (const one of events.length > 0 ? events : [event]) this.tool?.move?.(this.at(one));
    } else this.tool?.move?.(this.at(event));
    if (finger !== undefined) this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.sketch(this.at(event));
  };

  private pinch(event: PointerEvent, finger: Finger): void {
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other === undefined || this.scene.viewport === null) return;
    const before = Math.hypot(finger.x - other.x, finger.y - other.y);
    const after = Math.hypot(event.offsetX - other.x, event.offsetY - other.y);
    const moved = panned(this.scene.viewport, (event.offsetX - finger.x) / 2, (event.offsetY - finger.y) / 2);
    this.scene.viewport = moved;
    this.view(before > 0 ? after / before : 1, (event.offsetX + other.x) / 2, (event.offsetY + other.y) / 2);
  }

  private readonly up = (event: PointerEvent): void => {
    if (this.drag === "tool") this.tool?.up?.(this.at(event));
    this.fingers.delete(event.pointerId);
    // The finger that is left after a pinch does nothing until it is lifted too.
    if (this.fingers.size === 0) this.drag = null;
    else if (this.drag === "tool") this.drag = null;
    this.sketch(this.device === "touch" ? null : this.at(event));
  };

  private readonly cancel = (event: PointerEvent): void => {
    this.fingers.delete(event.pointerId);
    this.giveUp();
  };

  private readonly wheel = (event: WheelEvent): void => {
    event.preventDefault();
    if (event.shiftKey && this.scene.session.image.frames > 1) {
      this.scene.session.show(this.scene.session.frame + Math.sign(event.deltaY + event.deltaX));
      return;
    }
    this.view(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
  };

  private view(factor: number, x: number, y: number): void {
    if (this.scene.viewport === null) return;
    this.scene.viewport = zoomed(this.scene.viewport, factor, x, y);
    this.tool = this.drag === "tool" || this.tool?.finish !== undefined ? this.tool : toolNamed(this.name, this.around());
    this.scene.invalidate();
  }

  private at(event: { offsetX: number; offsetY: number }): Point {
    const { viewport } = this.scene;
    return viewport === null ? { row: 0, column: 0 } : toImage(viewport, event.offsetX, event.offsetY);
  }

  private around(): Surroundings {
    const scale = this.scene.viewport?.scaleColumn ?? 1;
    return { session: this.scene.session, radius: this.radius, reach: REACH[this.device] / scale, ...this.hooks };
  }

  private sketch(at: Point | null): void {
    const brush = at !== null && BRUSHES.includes(this.name) ? { brush: { at, radius: this.name.startsWith("scribble") ? Math.max(1, this.radius / 3) : this.radius } } : {};
    this.scene.sketch = { ...this.tool?.sketch(), ...brush };
    this.scene.invalidate();
  }
}
