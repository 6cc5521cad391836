/** The tools, undo and redo. */
import type { Session } from "../state/session";
import { useChanges } from "../state/observable";
import type { ToolName } from "../viewer/tools";
import { TOOL_GROUPS } from "./shortcuts";

export interface ToolbarProps {
  session: Session;
  tool: ToolName;
  radius: number;
  onTool: (tool: ToolName) => void;
  onRadius: (radius: number) => void;
  onNext: () => void;
}

export function Toolbar({ session, tool, radius, onTool, onRadius, onNext }: ToolbarProps) {
  useChanges(session);
  return (
    <div className="toolbar" role="toolbar" aria-label="Tools">
      <div className="tool-group" role="group" aria-label="Steps">
        <button type="button" disabled={session.undoLabel === undefined} title={`Undo: ${session.undoLabel ?? "nothing"} (Ctrl+Z)`} onClick={() => { session.undo(); }}>
          Undo
        </button>
        <button type="button" disabled={session.redoLabel === undefined} title={`Redo: ${session.redoLabel ?? "nothing"} (Ctrl+Y)`} onClick={() => { session.redo(); }}>
          Redo
        </button>
      </div>
      {TOOL_GROUPS.map((group) => (
        <div key={group.label} className="tool-group" role="group" aria-label={group.label}>
          {group.tools.map(({ name, label, key, help }) => (
            <button
              key={name}
              type="button"
              aria-pressed={tool === name}
              aria-keyshortcuts={key}
              title={`${help} (${key.toUpperCase()})`}
              onClick={() => { onTool(name); }}
            >
              {label}
            </button>
          ))}
          {group.label === "Point" && <button type="button" title="Keep this lesion and point at another (N)" onClick={onNext}>Next lesion</button>}
        </div>
      ))}
      <label className="brush-size">
        Brush <input type="range" min={1} max={60} value={radius} aria-label="Brush radius in pixels" onChange={(event) => { onRadius(event.target.valueAsNumber); }} /> {radius} px
      </label>
    </div>
  );
}
