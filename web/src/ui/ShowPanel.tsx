/** How the image and what lies on it are shown. */
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import type { Display, Shown } from "../viewer/display";
import { fullWindow } from "../state/window";
import { Slider } from "./Slider";

const LAYERS: readonly (readonly [Exclude<keyof Shown, "opacity">, string])[] = [
  ["contour", "Contour"],
  ["fill", "Mask"],
  ["heat", "Probability as a heat map"],
  ["model", "The model's own contour (dashed)"],
  ["diameters", "Diameters"],
  ["margin", "Inner and outer margin (dotted), where there is a guarantee"],
  ["skin", "The shortest line to the skin"],
];

export function ShowPanel({ session, display }: { session: Session; display: Display }) {
  useChanges(session);
  useChanges(display);
  const { shown } = display;
  const { window, image } = session;
  const range = Math.max(image.high - image.low, 1e-6);
  const frame = session.loaded();
  return (
    <div>
      {LAYERS.map(([name, label]) => (
        <label key={name} className="check">
          <input type="checkbox" checked={shown[name]} onChange={(event) => { display.set({ [name]: event.target.checked }); }} /> {label}
        </label>
      ))}
      {shown.heat && <div className="heat-scale" role="img" aria-label="Heat map from a probability of 0, dark, to 1, light"><span>0</span><span>probability</span><span>1</span></div>}
      <Slider label="Opacity" min={0} max={1} step={0.05} value={shown.opacity} text={`${Math.round(shown.opacity * 100)} %`} onChange={(opacity) => { display.set({ opacity }); }} />
      <Slider label="Window" min={range / 256} max={2 * range} step={range / 256} value={window.width} text={window.width.toPrecision(4)} onChange={(width) => { session.setWindow({ ...window, width }); }} />
      <Slider label="Level" min={image.low} max={image.high} step={range / 256} value={window.centre} text={window.centre.toPrecision(4)} onChange={(centre) => { session.setWindow({ ...window, centre }); }} />
      <label className="check">
        <input type="checkbox" checked={window.invert} onChange={(event) => { session.setWindow({ ...window, invert: event.target.checked }); }} /> Invert
      </label>
      <button type="button" disabled={frame === undefined} onClick={() => { if (frame !== undefined) session.setWindow({ ...fullWindow(frame.values), invert: window.invert }); }}>Reset the window</button>
      {image.remarks.map((remark) => <p key={remark} className="remark">{remark}</p>)}
    </div>
  );
}
