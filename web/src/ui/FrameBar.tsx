/** The frames of a cine loop or the slices of a volume. */
import { useEffect, useState } from "react";
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import { frameNoun } from "../state/words";
import { Slider } from "./Slider";

export function FrameBar({ session, playing, onPlay }: { session: Session; playing: boolean; onPlay: (playing: boolean) => void }) {
  useChanges(session);
  const [rate, setRate] = useState(20);
  const [shownRate, setShownRate] = useState(0);
  const { frames, phases } = session.image;
  useEffect(() => {
    if (!playing) return undefined;
    const stop = playFrames(session, rate, setShownRate);
    return stop;
  }, [session, playing, rate]);
  return (
    <div className="frame-bar">
      {phases.length > 1 && (
        <select aria-label="Phase" value={session.phase} onChange={(event) => { session.showPhase(Number(event.target.value)); }}>
          {phases.map((name, phase) => <option key={phase} value={phase}>Phase {phase + 1} of {phases.length}{name === `phase ${phase + 1}` ? "" : `: ${name}`}</option>)}
        </select>
      )}
      <button type="button" aria-pressed={playing} title="Play or stop (K)" onClick={() => { onPlay(!playing); }}>{playing ? "Stop" : "Play"}</button>
      <Slider label={frameNoun(session.image) === "slice" ? "Slice" : "Frame"} min={1} max={frames} step={1} value={session.frame + 1} text={`${session.frame + 1} of ${frames}`} onChange={(frame) => { session.show(frame - 1); }} />
      <Slider label="Speed" min={1} max={60} step={1} value={rate} text={`${rate} a second${playing && shownRate > 0 ? `, ${shownRate.toFixed(0)} reached` : ""}`} onChange={setRate} />
    </div>
  );
}

/** Shows frame after frame; a frame that is not loaded yet is waited for. */
function playFrames(session: Session, rate: number, told: (rate: number) => void): () => void {
  let [stopped, last, due] = [false, performance.now(), 0];
  let [count, since] = [0, last];
  const tick = (now: number): void => {
    if (stopped) return;
    due = requestAnimationFrame(tick);
    if (now - last < 1000 / rate - 2) return;
    const next = (session.frame + 1) % session.image.frames;
    if (session.loaded(next) === undefined) {
      void session.load(next);
      return;
    }
    last = now;
    session.show(next);
    void session.load((next + 1) % session.image.frames);
    count += 1;
    if (now - since < 1000) return;
    told((count * 1000) / (now - since));
    [count, since] = [0, now];
  };
  due = requestAnimationFrame(tick);
  return () => {
    stopped = true;
    cancelAnimationFrame(due);
  };
}
