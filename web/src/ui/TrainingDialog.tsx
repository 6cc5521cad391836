/** Retraining from a project's labels: progress, both bundles' scores side by side, and the choice. */
import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from "react";
import { followedJob, waitingText, type Job } from "../backend/jobs";
import { projects, type Figure, type Project, type Training } from "../backend/projects";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import { diceText, durationText } from "../state/words";
import { Dialog } from "./Dialog";
import { Message } from "./Message";
import { Renewing } from "./Renewing";

/** Below this part of the whole the time that is left is not told. */
const KNOWN = 0.05;
/** Of the progress when the last epoch ends; how long the rest takes is not known. */
const TRAINED = 0.9;
/** Below so many patients an interval says little. */
const FEW = 10;

export function TrainingDialog({ app, project, onClose }: { app: App; project: Project; onClose: () => void }) {
  useChanges(app);
  useChanges(app.labelling);
  return (
    <Dialog title={`Retrain from ${project.name}`} onClose={onClose}>
      {app.about?.can_train === true ? <Trainings app={app} project={project} /> : <p className="hint">Retraining needs the train extra, which is not installed on the service.</p>}
      {app.error !== "" && <div role="alert" className="problem"><Message text={app.error} /></div>}
      <div className="buttons"><button type="button" autoFocus onClick={onClose}>Close</button></div>
    </Dialog>
  );
}

function Trainings({ app, project }: { app: App; project: Project }) {
  const [trainings, setTrainings] = useState<readonly Training[]>([]);
  const reload = async (): Promise<void> => {
    setTrainings(await projects.trainings(project.id));
  };
  const load = useEffectEvent(() => { void app.guarded(reload); });
  useEffect(() => { load(); }, [project.id]);
  const running = trainings.find(({ state }) => state === "queued" || state === "running");
  const chosen = trainings.filter(({ chosen_at: when }) => when !== null).sort((a, b) => String(b.chosen_at).localeCompare(String(a.chosen_at))).at(0);
  const put = (changed: Training): void => { setTrainings((known) => known.map((one) => (one.id === changed.id ? changed : one))); };
  return (
    <>
      {running === undefined ? (
        // Another window may have begun one meanwhile: then that one is shown with the refusal.
        <Begin project={project} again={trainings.length > 0} onBegin={(epochs, modality) => { void app.guarded(async () => { await projects.retrain(project.id, epochs, modality).finally(reload); }); }} />
      ) : (
        <Running training={running} onEnded={() => { void app.guarded(reload); }} onCancel={() => { void app.guarded(() => projects.cancelJob(running.id)); }} />
      )}
      {trainings.map((one) => (
        <Outcome key={one.id} app={app} training={one} onChanged={put}>
          {one === chosen && project.renewing !== null && <Renewing app={app} project={project} job={project.renewing} />}
        </Outcome>
      ))}
    </>
  );
}

interface BeginProps {
  project: Project;
  again: boolean;
  onBegin: (epochs: number, modality: string) => void;
}

/** What came of earlier trainings is looked at first. */
function Begin({ again, ...rest }: BeginProps) {
  if (!again) return <Form {...rest} />;
  return (
    <details>
      <summary>Train again</summary>
      <Form {...rest} />
    </details>
  );
}

function Form({ project, onBegin }: Omit<BeginProps, "again">) {
  const [epochs, setEpochs] = useState(10);
  const [modality, setModality] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onBegin(epochs, modality);
      }}
    >
      <p>
        Trains on the labelled images, {project.labelled} now, beside {project.method}. About a quarter of the patients is held out: no training
        ever sees their images, and both bundles are scored on them. At least four patients must be labelled.
      </p>
      <label className="field">Epochs, passes over the images <input type="number" required min={1} max={1000} value={epochs} onChange={(event) => { setEpochs(event.target.valueAsNumber); }} /></label>
      <label className="field">
        Modality of the images
        <select value={modality} onChange={(event) => { setModality(event.target.value); }}>
          <option value="">as the files or the method state it</option>
          {["ultrasound", "mammography", "mri", "histopathology"].map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
      </label>
      <button type="submit" className="primary">Retrain</button>
    </form>
  );
}

function Running({ training, onEnded, onCancel }: { training: Training; onEnded: () => void; onCancel: () => void }) {
  const [now, setNow] = useState<Job | null>(null);
  const first = useRef<{ at: number; done: number } | null>(null);
  const [left, setLeft] = useState("");
  const ended = useEffectEvent(onEnded);
  const { id } = training;
  useEffect(() => {
    const leaving = new AbortController();
    const told = (job: Job): void => {
      setNow(job);
      if (job.step === null) return;
      first.current ??= { at: performance.now(), done: job.progress };
      const { at, done } = first.current;
      const seconds = ((performance.now() - at) / 1000) * ((TRAINED - job.progress) / (job.progress - done));
      setLeft(job.step.stage === "training" && job.progress - done > KNOWN ? `, about ${durationText(seconds)} left of the training` : "");
    };
    followedJob(id, told, leaving.signal).then(() => { ended(); }, () => undefined);
    return () => { leaving.abort(); };
  }, [id]);
  return (
    <div className="buttons" role="status">
      <span>{stageOf(now)}{left}</span>
      <progress value={now?.progress} max={1} aria-label="Training" />
      <button type="button" onClick={onCancel}>Cancel the training</button>
      <p className="hint">It goes on when this page is closed, and after a restart of the service.</p>
    </div>
  );
}

function stageOf(job: Job | null): string {
  if (job === null) return "Asking how far it is";
  const waits = waitingText(job);
  if (waits !== "") return waits;
  if (job.step === null) return "Preparing the images";
  const { stage, epoch, epochs, loss } = job.step;
  if (stage === "scoring") return "Making the new bundle, then scoring both";
  return `Epoch ${Math.min(epoch + 1, epochs)} of ${epochs}${loss === null ? "" : `, loss ${loss.toFixed(3)}`}`;
}

interface OutcomeProps {
  app: App;
  training: Training;
  onChanged: (training: Training) => void;
  /** What goes on since it was chosen. */
  children: ReactNode;
}

function Outcome({ app, training, onChanged, children }: OutcomeProps) {
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
    <section aria-label={`Training of ${when}`}>
      <div className="wide" tabIndex={0}>
        <table>
          <caption>Training of {when}: scores on {training.held_out_images} images of {training.held_out_patients} patients held out</caption>
          <thead><tr><th scope="col">Figure, with its 95 % interval</th><th scope="col">{before.method}</th><th scope="col">{after.method} (new)</th></tr></thead>
          <tbody>
            <tr><th scope="row">Dice</th><td>{figureText(before.dice)}</td><td>{figureText(after.dice)}</td></tr>
            <tr><th scope="row">Lesions missed</th><td>{percentText(before.missed)}</td><td>{percentText(after.missed)}</td></tr>
            <tr><th scope="row">Images without a lesion in which something is segmented</th><td>{percentText(before.normals_outlined)}</td><td>{percentText(after.normals_outlined)}</td></tr>
            <tr><th scope="row">Failures</th><td>{before.failures}</td><td>{after.failures}</td></tr>
          </tbody>
        </table>
      </div>
      <p>Trained on {outcome.trained_on} images of {training.train_patients} patients: {outcome.start}.</p>
      <p>{diceText(outcome)}</p>
      {verdictOf(outcome.dice_gained)}
      {training.held_out_patients < FEW && <p className="remark">With {training.held_out_patients} patients held out, the figures are those of single images: label more before you rely on them.</p>}
      <p className="hint">Where readers started from masks that {before.method} proposed, the comparison favours it.</p>
      {training.remarks.map((remark) => <p key={remark} className="remark">{remark}</p>)}
      <HeldOut app={app} training={training} />
      <div className="buttons">
        <button type="button" aria-pressed={choice === "after"} onClick={() => { take("after"); }}>Take the new bundle</button>
        <button type="button" aria-pressed={choice === "before"} onClick={() => { take("before"); }}>Stay with the old one</button>
        <a className="button" download href={`/api/trainings/${training.id}/bundle.zip`}>New bundle (ZIP)</a>
      </div>
      {choice !== null && training.chosen_at !== null && <p className="hint">{choice === "after" ? after.method : before.method} was chosen by {training.chosen_by} on {new Date(training.chosen_at).toLocaleString()}.</p>}
      {children}
    </section>
  );
}

/** What the interval of the difference allows to say. */
function verdictOf(gained: Figure | null) {
  if (gained === null) return null;
  const [low, high] = [gained.low ?? gained.value, gained.high ?? gained.value];
  if (high < 0) return <p className="remark">The new bundle is worse on the images held out.</p>;
  if (low > 0) return <p>The new bundle is better on the images held out.</p>;
  return <p>The images held out do not tell which of the two is better.</p>;
}

function HeldOut({ app, training }: { app: App; training: Training }) {
  const { images, before, after } = training.outcome ?? { images: [], before: null, after: null };
  if (images.length === 0) return null;
  const text = (dice: number | null): string => (dice === null ? "no lesion, or failed" : dice.toFixed(3));
  return (
    <details>
      <summary>The {images.length} images held out</summary>
      <table>
        <thead><tr><th scope="col">Image</th><th scope="col">Dice, {before?.method}</th><th scope="col">Dice, {after?.method} (new)</th></tr></thead>
        <tbody>
          {images.map((one) => <tr key={one.case}><th scope="row">{app.labelling.nameOf(one.case)}</th><td>{text(one.before)}</td><td>{text(one.after)}</td></tr>)}
        </tbody>
      </table>
    </details>
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
