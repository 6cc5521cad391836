/** A slider with its name and value. */
import { useId, useRef } from "react";
import type { Run } from "../state/history";

export interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  text?: string;
  help?: string;
  /** The changes of one drag are of one run, and those by keys until the slider is left. */
  onChange: (value: number, run: Run) => void;
  /** The slider or its key was let go. */
  onDone?: (run: Run) => void;
}

export function Slider({ label, value, min, max, step, text, help, onChange, onDone }: SliderProps) {
  const id = useId();
  const run = useRef<Run>(Symbol("run"));
  const begin = (): void => { run.current = Symbol("run"); };
  const done = (): void => { onDone?.(run.current); };
  const leave = (): void => {
    done();
    begin();
  };
  return (
    <div className="slider" title={help}>
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id}>{text ?? String(value)}</output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={text}
        onChange={(event) => { onChange(event.target.valueAsNumber, run.current); }}
        onPointerDown={begin}
        onPointerUp={leave}
        onKeyUp={done}
        onBlur={leave}
      />
    </div>
  );
}
