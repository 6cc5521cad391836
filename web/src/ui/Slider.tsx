/** A slider with its name and value. */
import { useId } from "react";

export interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  text?: string;
  help?: string;
  onChange: (value: number) => void;
  /** The slider was let go. */
  onDone?: () => void;
}

export function Slider({ label, value, min, max, step, text, help, onChange, onDone }: SliderProps) {
  const id = useId();
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
        onChange={(event) => { onChange(event.target.valueAsNumber); }}
        onPointerUp={onDone}
        onKeyUp={onDone}
        onBlur={onDone}
      />
    </div>
  );
}
