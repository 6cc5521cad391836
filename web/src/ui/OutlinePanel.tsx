/** Choosing a method and outlining with it. */
import { namedWithVersion, type Method } from "../backend/backend";
import type { App } from "../state/app";
import type { Run } from "../state/history";
import { useChanges } from "../state/observable";
import type { Prediction } from "../state/prediction";
import type { Session } from "../state/session";
import { interpolate } from "../state/interpolate";
import { holesFilled, smoothed } from "../mask/tidy";
import { emptyMask } from "../mask/mask";
import { Parameters } from "./Parameters";
import { Slider } from "./Slider";

export function OutlinePanel({ app, session }: { app: App; session: Session }) {
  useChanges(app);
  useChanges(session);
  const method = app.current;
  const networks = app.methods.filter(({ kind }) => kind === "network");
  const classical = app.methods.filter(({ kind }) => kind === "classical");
  const many = session.image.frames > 1;
  return (
    <div>
      <label className="field">
        Method
        <select value={app.method} onChange={(event) => { app.setMethod(event.target.value); }}>
          <optgroup label="Bundles">
            {networks.map(({ name, modality }) => <option key={name} value={name}>{name.startsWith(modality) ? name : `${name} (${modality})`}</option>)}
          </optgroup>
          {classical.length > 0 && (
            <optgroup label="Classical methods">
              {classical.map(({ name }) => <option key={name} value={name}>{name}</option>)}
            </optgroup>
          )}
        </select>
      </label>
      {session.image.modality === "unknown" && method?.kind === "network" && <p className="remark">The file does not state its modality. Check that this bundle is for such images.</p>}
      {method !== undefined && <p className="hint summary">{method.summary}</p>}
      {method?.remarks.map((remark) => <p key={remark} className="remark">{remark}</p>)}
      <div className="buttons">
        <button type="button" className="primary" disabled={app.onlyLooks} onClick={() => { app.segment(); }}>Outline</button>
        {many && method?.dimensions !== 3 && session.image.kind === "image" && <button type="button" onClick={() => { app.segment(true); }}>Outline all frames</button>}
      </div>
      {method?.kind === "classical" && <Parameters app={app} session={session} parameters={method.parameters} />}
      <Threshold app={app} session={session} />
      <Tidy session={session} />
      <HandSet session={session} />
      <Pointing method={app.prompted} chosen={method} />
    </div>
  );
}

/** That clicks and the threshold leave a correction as it is. */
function HandSet({ session }: { session: Session }) {
  const { count } = session.handSet();
  return count === 0 ? null : <p className="hint">{count} pixels were set by hand. Clicks, boxes and the threshold leave them; a click or scribble on them takes them back.</p>;
}

/** What answers where a person points; what it is stands here where it is not the chosen method, of which that stands above. */
function Pointing({ method, chosen }: { method: Method | undefined; chosen: Method | undefined }) {
  if (method === undefined) return <p className="hint">No method here takes a click, a box or a scribble.</p>;
  return (
    <>
      <p className="hint">Click in, Click out, Box and Scribble use {method.name}{method === chosen ? "." : `: ${method.summary}.`}</p>
      {method !== chosen && method.remarks.map((remark) => <p key={remark} className="remark">{remark}</p>)}
    </>
  );
}

function Threshold({ app, session }: { app: App; session: Session }) {
  const { prediction } = session;
  if (prediction === undefined) return null;
  if (prediction.probability === null) return <p className="hint">What {namedWithVersion(prediction)} found before is held no longer: outline again to move its threshold.</p>;
  // Where the probability is 0 or 1, the slider would move nothing.
  const moves = app.methods.find(({ name }) => name === prediction.method)?.givesProbability !== false;
  const set = (threshold: number): void => {
    if (!session.editing) session.beginEdit();
    session.setThreshold(threshold);
    session.preview(session.answer());
  };
  const done = (run: Run): void => {
    const origin = { by: [namedWithVersion(prediction)], adds: session.marks.base !== null || session.handSet().count > 0, resultId: prediction.id };
    session.endEdit(`Threshold ${session.threshold.toFixed(2)}`, { origin, run });
  };
  return (
    <>
      {moves && <Slider
        label="Threshold"
        min={0.01}
        max={0.99}
        step={0.01}
        value={session.threshold}
        text={session.threshold.toFixed(2)}
        help="Pixels with at least this probability are lesion. What you have drawn or erased by hand stays."
        onChange={set}
        onDone={done}
      />}
      <p className="hint">{foundText(prediction, moves)}</p>
      {prediction.remarks.map((remark) => <p key={remark} className="remark">{remark}</p>)}
    </>
  );
}

function foundText({ method, threshold, milliseconds }: Prediction, moves: boolean): string {
  const about = [moves ? `operating point ${threshold.toFixed(2)}` : "", milliseconds === null ? "" : `${milliseconds.toFixed(0)} ms`].filter((part) => part !== "");
  return `${method}${about.length === 0 ? "" : `: ${about.join(", ")}`}.`;
}

function Tidy({ session }: { session: Session }) {
  const outlined = session.outlinedFrames();
  const before = outlined.filter((frame) => frame < session.frame).at(-1);
  const after = outlined.find((frame) => frame > session.frame);
  const between = before !== undefined && after !== undefined;
  return (
    <div className="buttons" role="group" aria-label="Tidy the mask">
      <button type="button" onClick={() => { session.replace("Fill holes", holesFilled(session.mask())); }}>Fill holes</button>
      <button type="button" onClick={() => { session.replace("Smooth", smoothed(session.mask())); }}>Smooth</button>
      {session.image.frames > 1 && (
        <button
          type="button"
          disabled={!between}
          title={between ? `All between ${before + 1} and ${after + 1}` : "Outline one before and one after this first"}
          onClick={() => {
            if (between) interpolate(session, before, after);
          }}
        >
          Interpolate
        </button>
      )}
      <button type="button" onClick={() => { session.replaceWhole("Clear", emptyMask(session.image.rows, session.image.columns), []); }}>Clear</button>
    </div>
  );
}
