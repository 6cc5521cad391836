/** The open image with its tools and panels. */
import { useEffect, useEffectEvent, useState } from "react";
import { lengthBetween } from "../mask/diameters";
import type { Point } from "../mask/mask";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import { frameNoun } from "../state/words";
import type { Display } from "../viewer/display";
import type { ToolName } from "../viewer/tools";
import { Viewer } from "../viewer/Viewer";
import { BesidePanel } from "./BesidePanel";
import { DecisionBar } from "./DecisionBar";
import { RulerDialog } from "./dialogs";
import { FrameBar } from "./FrameBar";
import { MeasurePanel } from "./MeasurePanel";
import { OutlinePanel } from "./OutlinePanel";
import { Planes } from "./Planes";
import { ReportPanel } from "./ReportPanel";
import { isTyping, TOOLS } from "./shortcuts";
import { ShowPanel } from "./ShowPanel";
import { Tabs } from "./Tabs";
import { Toolbar } from "./Toolbar";
import { VersionsPanel } from "./VersionsPanel";

export interface WorkspaceProps {
  app: App;
  session: Session;
  display: Display;
  onHelp: () => void;
}

export default function Workspace({ app, session, display, onHelp }: WorkspaceProps) {
  useChanges(app);
  useChanges(session);
  const [tool, setTool] = useState<ToolName>("inside");
  const [radius, setRadius] = useState(8);
  const [playing, setPlaying] = useState(false);
  const [ruler, setRuler] = useState<[Point, Point] | null>(null);
  const { beside } = app;
  const keys: Keys = { app, session, display, setTool, setRadius, setPlaying, onHelp };
  useKeys(keys);
  const view = { display, tool, radius, onRuler: (a: Point, b: Point) => { setRuler([a, b]); } };
  return (
    <>
      <Toolbar app={app} session={session} tool={tool} radius={radius} onTool={setTool} onRadius={setRadius} onNext={() => { session.startLesion(); }} />
      <main>
        <DecisionBar app={app} />
        <div className="views" data-beside={beside !== null}>
          <figure>
            <Viewer {...view} session={session} label={labelOf(session)} onAsk={(label) => { app.ask(session, label); }} />
            <figcaption><bdi>{labelOf(session)}</bdi></figcaption>
          </figure>
          {beside !== null && (
            <figure>
              <Viewer {...view} session={beside} label={labelOf(beside)} onAsk={(label) => { app.ask(beside, label); }} />
              <figcaption>
                <bdi>{labelOf(beside)}</bdi>
                <button type="button" onClick={() => { app.show(beside.scan, beside.index); app.showBeside(session.scan, session.index); }}>Swap</button>
              </figcaption>
            </figure>
          )}
        </div>
        {session.image.frames > 1 && <FrameBar session={session} playing={playing} onPlay={setPlaying} />}
      </main>
      <aside aria-label="The image and its lesions">
        <Tabs
          label="Panels"
          tabs={[
            { name: "Outline", content: <OutlinePanel app={app} session={session} /> },
            { name: "Measure", content: <MeasurePanel session={session} onRuler={() => { setTool("ruler"); }} /> },
            { name: "Show", content: <ShowPanel session={session} display={display} /> },
            ...(session.image.kind === "volume" ? [{ name: "Planes", content: <Planes session={session} /> }] : []),
            { name: "Versions", content: <VersionsPanel app={app} session={session} /> },
            { name: "Compare", content: <BesidePanel app={app} session={session} /> },
            { name: "Report", content: <ReportPanel app={app} session={session} /> },
          ]}
        />
      </aside>
      {ruler !== null && (
        <RulerDialog
          pixels={lengthBetween(...ruler)}
          onAnswer={(millimetres) => {
            if (millimetres !== null) app.setSpacing(session, millimetres / lengthBetween(...ruler));
            setRuler(null);
            setTool("inside");
          }}
        />
      )}
    </>
  );
}

function labelOf(session: Session): string {
  const { image, frame, phase } = session;
  const where = image.frames > 1 ? `, ${frameNoun(image)} ${frame + 1} of ${image.frames}` : "";
  const when = image.phases.length > 1 ? `, phase ${phase + 1} of ${image.phases.length}` : "";
  return `${image.name}${where}${when}`;
}

interface Keys {
  app: App;
  session: Session;
  display: Display;
  setTool: (tool: ToolName) => void;
  setRadius: (change: (radius: number) => number) => void;
  setPlaying: (change: (playing: boolean) => boolean) => void;
  onHelp: () => void;
}

function useKeys(keys: Keys): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    if (isTyping(event)) return;
    if (document.querySelector("dialog[open]") !== null) return;
    if (handled(event, keys)) event.preventDefault();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => { pressed(event); };
    window.addEventListener("keydown", listen);
    return () => { window.removeEventListener("keydown", listen); };
  }, []);
}

/** Whether a key meant something. */
function handled(event: KeyboardEvent, { app, session, display, setTool, setRadius, setPlaying, onHelp }: Keys): boolean {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === "z" && !event.shiftKey) app.undo(session);
    else if (key === "y" || key === "z") app.redo(session);
    else return false;
    return true;
  }
  if (event.altKey) return false;
  const tool = TOOLS.find((one) => one.key === key);
  if (tool !== undefined) {
    setTool(tool.name);
    return true;
  }
  const actions: Record<string, () => void> = {
    "[": () => { setRadius((radius) => Math.max(1, radius - 1)); },
    "]": () => { setRadius((radius) => Math.min(60, radius + 1)); },
    n: () => { session.startLesion(); },
    h: () => { display.set({ heat: !display.shown.heat }); },
    x: () => { session.setWindow({ ...session.window, invert: !session.window.invert }); },
    k: () => { setPlaying((playing) => session.image.frames > 1 && !playing); },
    pageup: () => { session.show(session.frame - 1); },
    pagedown: () => { session.show(session.frame + 1); },
    "?": onHelp,
  };
  // On a button the space bar presses that button.
  if (!(event.target instanceof HTMLButtonElement)) actions[" "] = () => { app.segment(); };
  const action = actions[key] as (() => void) | undefined;
  action?.();
  return action !== undefined;
}
