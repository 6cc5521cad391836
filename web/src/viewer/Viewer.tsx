/** The image with its outline, by mouse, touch and keyboard. */
import { useEffect, useEffectEvent, useLayoutEffect, useRef } from "react";
import type { Point } from "../mask/mask";
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import type { Display } from "./display";
import { Gestures } from "./gestures";
import { Scene } from "./scene";
import type { ToolName } from "./tools";

export interface ViewerProps {
  session: Session;
  display: Display;
  tool: ToolName;
  radius: number;
  label: string;
  onAsk: (label: string) => void;
  onRuler: (a: Point, b: Point) => void;
  onFocus?: () => void;
}

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function Viewer({ session, display, tool, radius, label, onAsk, onRuler, onFocus }: ViewerProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const made = useRef<{ scene: Scene; gestures: Gestures } | null>(null);
  const ask = useEffectEvent(onAsk);
  const laid = useEffectEvent(onRuler);
  const revision = useChanges(session);
  const shown = useChanges(display);

  useLayoutEffect(() => {
    if (canvas.current === null) return undefined;
    const hooks = { ask: (what: string) => { ask(what); }, laid: (a: Point, b: Point) => { laid(a, b); } };
    const scene = new Scene(canvas.current, session, display);
    const gestures = new Gestures(scene, hooks);
    made.current = { scene, gestures };
    const stops = [gestures.listen(canvas.current), scene.follow()];
    return () => { for (const stop of stops) stop(); };
  }, [session, display]);

  useEffect(() => { made.current?.gestures.choose(tool, radius); }, [tool, radius, session]);
  useEffect(() => { made.current?.scene.maskChanged(); }, [revision, shown]);
  useEffect(() => { made.current?.scene.fit(); }, [session, session.image.spacingMm]);
  const { frame, phase } = session;
  useEffect(() => { void session.load(frame); }, [session, frame, phase]);

  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (made.current === null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!pressed(event, made.current)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <canvas
      ref={canvas}
      className="viewer-canvas"
      data-tool={tool}
      tabIndex={0}
      role="application"
      aria-roledescription="image viewer"
      aria-label={`${label}. Arrow keys move a cross, Enter uses the tool there, plus and minus zoom.`}
      onKeyDown={onKeyDown}
      onFocus={onFocus}
    />
  );
}

/** Whether a key meant something to the image. */
function pressed({ key, shiftKey }: React.KeyboardEvent, { scene, gestures }: { scene: Scene; gestures: Gestures }): boolean {
  const arrow = ARROWS[key] as readonly [number, number] | undefined;
  const step = shiftKey ? 24 : 4;
  if (arrow !== undefined) gestures.moveCross(arrow[0] * step, arrow[1] * step);
  else if (key === "Enter") gestures.pressAtCross();
  else if (key === "Escape") gestures.giveUp();
  else if (key === "f") gestures.finish();
  else if (key === "+" || key === "=") gestures.zoomBy(1.25);
  else if (key === "-") gestures.zoomBy(0.8);
  else if (key === "0") scene.fit();
  else return false;
  return true;
}
