/** The parameters of a classical method, which act at once. */
import type { Parameter, Scalar } from "../backend/backend";
import type { App } from "../state/app";
import type { Run } from "../state/history";
import type { Session } from "../state/session";
import { Slider } from "./Slider";

/** Parameters of what a method holds stand apart: some have the same names. */
const GROUPS = [
  ["", "Parameters"],
  ["filters", "Filters before the outline"],
  ["finder", "How the lesion is found"],
] as const;

/** Positions of a slider of a number. */
const STEPS = 100;

export function Parameters({ app, session, parameters }: { app: App; session: Session; parameters: readonly Parameter[] }) {
  const act = (name: string, value: Scalar, run?: Run): void => {
    app.setParameter(name, value);
    // Each setting is answered at once; an answer that comes too late is dropped. Moves of one run are one step.
    session.run = run;
    app.segmentWithPrompt(session);
    session.run = undefined;
  };
  return GROUPS.map(([holder, title]) => {
    const held = parameters.filter(({ name }) => holderOf(name) === holder);
    if (held.length === 0) return null;
    return (
      <details key={title} open={holder === ""}>
        <summary>{title}</summary>
        {held.map((one) => <Field key={one.name} one={one} value={app.parameters[one.name] ?? one.default} onChange={(value, run) => { act(one.name, value, run); }} />)}
      </details>
    );
  });
}

/** A parameter of another holder stands with the method's own, lest it be hidden. */
function holderOf(name: string): string {
  return GROUPS.find(([holder]) => holder !== "" && name.startsWith(`${holder}.`))?.[0] ?? "";
}

function Field({ one, value, onChange }: { one: Parameter; value: Scalar; onChange: (value: Scalar, run?: Run) => void }) {
  const words = one.name.replace(/^(filters|finder)\./, "").replaceAll(/[._]/g, " ");
  const label = words.charAt(0).toUpperCase() + words.slice(1);
  if (one.kind === "boolean") {
    return (
      <label className="check" title={one.help}>
        <input type="checkbox" checked={value === true} onChange={(event) => { onChange(event.target.checked); }} /> {label}
      </label>
    );
  }
  if (one.choices !== undefined) {
    return (
      <label className="field" title={one.help}>
        {label}
        <select value={String(value)} onChange={(event) => { onChange(event.target.value); }}>
          {one.choices.map((choice) => <option key={choice}>{choice}</option>)}
        </select>
      </label>
    );
  }
  const now = Number(value);
  const { low = 0, high = Math.max(10, 4 * Number(one.default)) } = one;
  const whole = one.kind === "integer";
  const text = whole ? String(now) : now.toPrecision(3);
  if (one.logarithmic) {
    const [from, to] = [Math.log(low), Math.log(high)];
    const back = (at: number): number => Math.min(high, Math.max(low, whole ? Math.round(Math.exp(at)) : Math.exp(at)));
    return <Slider label={label} help={one.help} min={from} max={to} step={(to - from) / STEPS} value={Math.log(now)} text={text} onChange={(at, run) => { onChange(back(at), run); }} />;
  }
  return <Slider label={label} help={one.help} min={low} max={high} step={whole ? 1 : (high - low) / STEPS} value={now} text={text} onChange={onChange} />;
}
