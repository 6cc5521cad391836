/** The tools, undo and redo. A narrow screen shows the tools of one group at a time. */
import { useRef, useState } from "react";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import { BRUSHES, type ToolName } from "../viewer/tools";
import { goOn, useOneStop } from "./one-stop";
import { TOOL_GROUPS, type ToolGroup } from "./shortcuts";

export interface ToolbarProps {
  app: App;
  session: Session;
  tool: ToolName;
  radius: number;
  onTool: (tool: ToolName) => void;
  onRadius: (radius: number) => void;
  onNext: () => void;
}

export function Toolbar({ app, session, tool, radius, onTool, onRadius, onNext }: ToolbarProps) {
  useChanges(session);
  const bar = useRef<HTMLDivElement>(null);
  useOneStop(bar);
  // Holds until another tool is taken, whose group is then shown.
  const [looked, setLooked] = useState<{ at: string; with: ToolName } | null>(null);
  const shown = looked?.with === tool ? looked.at : TOOL_GROUPS.find(({ tools }) => tools.some(({ name }) => name === tool))?.label;
  return (
    <div ref={bar} className="toolbar" role="toolbar" aria-label="Tools" onKeyDown={goOn}>
      <div className="tool-group" role="group" aria-label="Steps">
        <button type="button" disabled={session.undoLabel === undefined} title={`Undo: ${session.undoLabel ?? "nothing"} (Ctrl+Z)`} onClick={() => { app.undo(session); }}>
          Undo
        </button>
        <button type="button" disabled={session.redoLabel === undefined} title={`Redo: ${session.redoLabel ?? "nothing"} (Ctrl+Y)`} onClick={() => { app.redo(session); }}>
          Redo
        </button>
      </div>
      <div className="tool-group kinds" role="group" aria-label="Kinds of tools">
        {TOOL_GROUPS.map(({ label }) => (
          <button key={label} type="button" aria-pressed={label === shown} onClick={() => { setLooked({ at: label, with: tool }); }}>
            {label}
          </button>
        ))}
      </div>
      {TOOL_GROUPS.map((group) => (
        <Group key={group.label} group={group} shown={group.label === shown} tool={tool} onTool={onTool} onNext={onNext} />
      ))}
      <label className="brush-size" data-used={BRUSHES.includes(tool)}>
        Brush <input type="range" min={1} max={60} value={radius} aria-label="Brush radius in pixels" onChange={(event) => { onRadius(event.target.valueAsNumber); }} /> {radius} px
      </label>
    </div>
  );
}

interface GroupProps {
  group: ToolGroup;
  shown: boolean;
  tool: ToolName;
  onTool: (tool: ToolName) => void;
  onNext: () => void;
}

function Group({ group, shown, tool, onTool, onNext }: GroupProps) {
  return (
    <div className="tool-group" role="group" aria-label={group.label} data-shown={shown}>
      {group.tools.map(({ name, label, key, help }) => (
        <button
          key={name}
          type="button"
          data-tool={name}
          aria-pressed={tool === name}
          aria-keyshortcuts={key}
          title={`${help} (${key.toUpperCase()})`}
          onClick={() => { onTool(name); }}
        >
          {label}
        </button>
      ))}
      {group.label === "Point" && <button type="button" aria-keyshortcuts="n" title="Keep this lesion and point at another (N)" onClick={onNext}>Next lesion</button>}
    </div>
  );
}
