/** Retraining from a project's labels: progress, both bundles' scores side by side, and the choice. */
import { useEffect, useEffectEvent, useState } from "react";
import { followedJob } from "../backend/jobs";
import { projects, type Figure, type Project, type Training } from "../backend/projects";
import type { App } from "../state/app";

export function TrainingSection({ app, project }: { app: App; project: Project }) {
  const [trainings, setTrainings] = useState<readonly Training[]>([]);
  const [epochs, setEpochs] = useState(10);
  const [modality, setModality] = useState("");
  const reload = async (): Promise<void> => {
    setTrainings(await projects.trainings(project.id));
  };
  const load = useEffectEvent(() => { void app.guarded(reload); });
  useEffect(() => { load(); }, [project.id]);
  const running = trainings.find(({ state }) => state === "queued" || state === "running");
  const put = (changed: Training): void => { setTrainings((known) => known.map((one) => (one.id === changed.id ? changed : one))); };
  return (
    <section aria-label="Retraining">
      <h3>Retrain</h3>
      {running === undefined ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void app.guarded(async () => {
              // Another window may have begun one meanwhile: then that one is shown with the refusal.
              await projects.retrain(project.id, epochs, modality).finally(reload);
            });
          }}
        >
          <label className="field">Epochs <input type="number" required min={1} max={1000} value={epochs} onChange={(event) => { setEpochs(event.target.valueAsNumber); }} /></label>
          <label className="field">
            Modality of the images
            <select value={modality} onChange={(event) => { setModality(event.target.value); }}>
              <option value="">as the files or the method state it</option>
              {["ultrasound", "mammography", "mri", "histopathology"].map((one) => <option key={one} value={one}>{one}</option>)}
            </select>
          </label>
          <p className="hint">Trains on the labelled images. About a quarter of the patients is held out for good, and both bundles are scored on them.</p>
          <button type="submit">Retrain</button>
        </form>
      ) : (
        <Running training={running} onChanged={put} onEnded={() => { void app.guarded(reload); }} onCancel={() => { void app.guarded(() => projects.cancelJob(running.id)); }} />
      )}
      {trainings.map((one) => <Outcome key={one.id} app={app} training={one} onChanged={put} />)}
    </section>
  );
}

interface RunningProps {
  training: Training;
  onChanged: (training: Training) => void;
  onEnded: () => void;
  onCancel: () => void;
}

function Running({ training, onChanged, onEnded, onCancel }: RunningProps) {
  const told = useEffectEvent(onChanged);
  const ended = useEffectEvent(onEnded);
  const current = useEffectEvent(() => training);
  const { id, step, progress, state } = training;
  useEffect(() => {
    const left = new AbortController();
    followedJob(id, ({ progress: now, step: at, state: stands }) => { told({ ...current(), progress: now, step: at, state: stands }); }, left.signal).then(() => { ended(); }, () => undefined);
    return () => { left.abort(); };
  }, [id]);
  const what = step === null ? (state === "running" ? "Preparing the images" : "Waiting for its turn") : step.stage === "scoring" ? "Scoring both" : `Epoch ${step.epoch} of ${step.epochs}${step.loss === null ? "" : `, loss ${step.loss.toFixed(3)}`}`;
  return (
    <div className="buttons" role="status">
      <span>{what}</span>
      <progress value={progress} max={1} aria-label="Training" />
      <button type="button" onClick={onCancel}>Cancel the training</button>
    </div>
  );
}

function Outcome({ app, training, onChanged }: { app: App; training: Training; onChanged: (training: Training) => void }) {
  const { outcome, choice, state, message } = training;
  const when = new Date(training.created_at).toLocaleString();
  if (outcome === null) {
    if (state === "cancelled") return <p className="hint">The training of {when} was cancelled.</p>;
    return state === "failed" ? <p className="problem">The training of {when} failed: {message}. The labels and the old bundle are as they were; Retrain begins another one.</p> : null;
  }
  const { before, after } = outcome;
  const take = (taken: "before" | "after"): void => {
    void app.guarded(async () => {
      onChanged(await projects.choose(training.id, taken));
      await app.reloadMethods();
      await app.labelling.load();
    });
  };
  return (
    <div className="wide" tabIndex={0}>
      <table>
        <caption>Training of {when}: scores on {training.held_out_images} images of {training.held_out_patients} patients held out</caption>
        <thead><tr><th scope="col">Figure</th><th scope="col">{before.method}</th><th scope="col">{after.method} (new)</th></tr></thead>
        <tbody>
          <tr><th scope="row">Dice</th><td>{figureText(before.dice)}</td><td>{figureText(after.dice)}</td></tr>
          <tr><th scope="row">Lesions missed</th><td>{percentText(before.missed)}</td><td>{percentText(after.missed)}</td></tr>
          <tr><th scope="row">Images without a lesion in which something is segmented</th><td>{percentText(before.normals_outlined)}</td><td>{percentText(after.normals_outlined)}</td></tr>
          <tr><th scope="row">Failures</th><td>{before.failures}</td><td>{after.failures}</td></tr>
        </tbody>
      </table>
      <p>Trained on {outcome.trained_on} images of {training.train_patients} patients. Dice gained an image: {figureText(outcome.dice_gained)}.</p>
      {outcome.dice_gained !== null && (outcome.dice_gained.high ?? outcome.dice_gained.value) < 0 && <p className="remark">The new bundle is worse on the images held out.</p>}
      <p className="hint">Where readers started from masks that {before.method} proposed, the comparison favours it.</p>
      {training.remarks.map((remark) => <p key={remark} className="remark">{remark}</p>)}
      <div className="buttons">
        <button type="button" aria-pressed={choice === "after"} onClick={() => { take("after"); }}>Take the new bundle</button>
        <button type="button" aria-pressed={choice === "before"} onClick={() => { take("before"); }}>Stay with the old one</button>
        <a className="button" download href={`/api/trainings/${training.id}/bundle.zip`}>New bundle (ZIP)</a>
      </div>
    </div>
  );
}

/** With its 95 % interval where there is one. */
function figureText(figure: Figure | null, scale = 1, digits = 3): string {
  if (figure === null) return "no such images";
  const text = (value: number): string => (value * scale).toFixed(digits);
  const { value, low, high } = figure;
  return low === null || low === undefined || high === null || high === undefined ? text(value) : `${text(value)} [${text(low)}, ${text(high)}]`;
}

function percentText(figure: Figure | null): string {
  return figure === null ? "no such images" : `${figureText(figure, 100, 0)} %`;
}
