/** Tools and keys: one list for the toolbar, the keyboard and the help sheet. */
import type { ToolName } from "../viewer/tools";

export interface ToolEntry {
  name: ToolName;
  label: string;
  key: string;
  help: string;
}

export interface ToolGroup {
  label: string;
  tools: readonly ToolEntry[];
}

export const TOOL_GROUPS: readonly ToolGroup[] = [
  {
    label: "View",
    tools: [
      { name: "pan", label: "Pan", key: "v", help: "Drag the image. Two fingers or the wheel zoom." },
      { name: "window", label: "Window", key: "w", help: "Drag right for a wider window, down for a higher level." },
    ],
  },
  {
    label: "Point",
    tools: [
      { name: "inside", label: "Click in", key: "i", help: "Click in a lesion. It is outlined at once." },
      { name: "outside", label: "Click out", key: "o", help: "Click where no lesion is. The outline is corrected." },
      { name: "box", label: "Box", key: "b", help: "Draw a box around a lesion." },
      { name: "scribble", label: "Scribble in", key: "s", help: "Scribble in a lesion." },
      { name: "scribble-outside", label: "Scribble out", key: "d", help: "Scribble in the background." },
    ],
  },
  {
    label: "Correct",
    tools: [
      { name: "brush", label: "Brush", key: "p", help: "Paint lesion." },
      { name: "eraser", label: "Eraser", key: "e", help: "Paint background." },
      { name: "smart", label: "Smart brush", key: "g", help: "Paint lesion up to the next edge in the image." },
      { name: "push", label: "Push", key: "u", help: "Push the contour outwards from inside, inwards from outside." },
      { name: "polygon", label: "Polygon", key: "y", help: "Click corners. The first corner, a double click or F closes it." },
      { name: "move", label: "Move", key: "m", help: "Drag a whole lesion." },
    ],
  },
  {
    label: "Measure",
    tools: [
      { name: "caliper", label: "Caliper", key: "c", help: "Lay a line. The ends of lines and diameters can be dragged." },
      { name: "ruler", label: "Ruler", key: "l", help: "Click twice on the scan's own ruler to set the pixel spacing." },
      { name: "skin", label: "Skin", key: "t", help: "Lay a line along the skin. The Measure tab then has the distance of each lesion to it." },
    ],
  },
];

export const TOOLS: readonly ToolEntry[] = TOOL_GROUPS.flatMap(({ tools }) => tools);

export const OTHER_KEYS: readonly (readonly [string, string])[] = [
  ["Arrow keys", "Move the cross over the image (with Shift in large steps)"],
  ["Enter", "Use the tool at the cross; a second Enter lets go"],
  ["F", "Close the polygon"],
  ["Escape", "Give up what was begun"],
  ["+ and -", "Zoom"],
  ["0", "Fit the image"],
  ["[ and ]", "Smaller or larger brush"],
  ["Ctrl+Z", "Undo"],
  ["Ctrl+Y or Ctrl+Shift+Z", "Redo"],
  ["N", "Next lesion: keep this one and point at another"],
  ["Space", "Outline the image with the chosen method"],
  ["H", "Show or hide the heat map"],
  ["X", "Invert the image"],
  ["Page up and down", "The frame or slice before and after"],
  ["K", "Play or stop a cine loop"],
  ["?", "This sheet"],
];

/** Whether a key belongs to the field that has the focus. Sliders and boxes to tick take no letters. */
export function isTyping({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && ["range", "checkbox"].includes(target.type)) return key.length > 1 || key === " ";
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}
