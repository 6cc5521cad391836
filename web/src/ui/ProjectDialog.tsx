/** A project as its admin sees it: what labelling took, how far the readers agree, the mask that they give together. */
import { useEffect, useState } from "react";
import { projects, type Agreement, type Effort, type Progress, type Project } from "../backend/projects";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import { durationText } from "../state/words";
import { Dialog } from "./Dialog";
import { Message } from "./Message";

/** What the service makes of a project. */
const FILES = [
  ["labels.zip", "Labels (ZIP)"],
  ["exports/results.csv", "Measurements (CSV)"],
  ["exports/coco.json", "Contours (COCO JSON)"],
  ["exports/readings.csv", "Readings with their time (CSV)"],
] as const;

export interface ProjectDialogProps {
  app: App;
  project: Project;
  onClose: () => void;
  /** An image of it is to be seen. */
  onLook: () => void;
}

export function ProjectDialog({ app, project, onClose, onLook }: ProjectDialogProps) {
  useChanges(app);
  const [effort, setEffort] = useState<readonly Effort[] | null>(null);
  const [cases, setCases] = useState<readonly Progress[]>([]);
  const [pairs, setPairs] = useState<readonly Agreement[]>([]);
  useEffect(() => {
    void app.guarded(async () => {
      const [took, read, agreed] = await Promise.all([projects.effort(project.id), projects.cases(project.id), projects.agreement(project.id)]);
      setPairs(agreed);
      setEffort(took);
      setCases(read);
      // Others have read meanwhile: the counts in the list of projects follow.
      await app.labelling.load();
    });
  }, [app, project.id]);
  const look = (one: Progress): void => {
    onClose();
    void app.labelling.showConsensus(project, one).then(onLook);
  };
  return (
    <Dialog title={`Project ${project.name}`} onClose={onClose}>
      {effort === null ? <p>Loading</p> : effort.length === 0 ? <p>Nobody has read an image yet.</p> : <EffortTable effort={effort} />}
      {cases.length > 0 && <CaseTable cases={cases} nameOf={({ case: name }) => app.labelling.nameOf(name)} onLook={look} />}
      {pairs.length > 0 && <PairTable pairs={pairs} />}
      {app.error !== "" && <div role="alert" className="problem"><Message text={app.error} /></div>}
      <p className="hint">
        The agreement is the mean Dice of all pairs of readers: 1 is the same mask, and two empty masks agree by 1. The consensus is
        STAPLE&apos;s; where more than half of the readers see no lesion, there is none.
      </p>
      <div className="buttons">
        <button type="button" className="primary" autoFocus onClick={onClose}>Close</button>
        {FILES.map(([path, label]) => <a key={path} className="button" download href={`/api/projects/${project.id}/${path}`}>{label}</a>)}
      </div>
    </Dialog>
  );
}

function PairTable({ pairs }: { pairs: readonly Agreement[] }) {
  return (
    <table>
      <caption>Agreement of readers</caption>
      <thead><tr><th scope="col">Readers</th><th scope="col">Images of both</th><th scope="col">Mean Dice</th></tr></thead>
      <tbody>
        {pairs.map(({ readers, images, dice }) => (
          <tr key={readers.join("/")}><th scope="row">{readers.join(" and ")}</th><td>{images}</td><td>{dice.toFixed(3)}</td></tr>
        ))}
      </tbody>
    </table>
  );
}

function EffortTable({ effort }: { effort: readonly Effort[] }) {
  return (
    <div className="wide" tabIndex={0}>
      <table>
        <caption>What labelling took</caption>
        <thead>
          <tr>{["Reader", "Read", "Accepted", "Corrected", "Rejected", "Handed on", "Median time an image", "Median pixels changed"].map((head) => <th key={head} scope="col">{head}</th>)}</tr>
        </thead>
        <tbody>
          {effort.map((one) => (
            <tr key={one.reader}>
              <th scope="row">{one.reader}</th>
              <td>{one.readings}</td>
              <td>{one.accepted}</td>
              <td>{one.corrected}</td>
              <td>{one.rejected}</td>
              <td>{one.handed_on}</td>
              <td>{durationText(one.median_seconds)}</td>
              <td>{one.median_edited_px === null ? "no mask was proposed" : `${one.median_edited_px.toFixed(0)} px`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CaseTable({ cases, nameOf: named, onLook }: { cases: readonly Progress[]; nameOf: (one: Progress) => string; onLook: (one: Progress) => void }) {
  return (
    <div className="wide" tabIndex={0}>
      <table>
        <caption>Images and readers</caption>
        <thead>
          <tr>{["Image", "State", "Readers", "Agreement", "Consensus"].map((head) => <th key={head} scope="col">{head}</th>)}</tr>
        </thead>
        <tbody>
          {cases.map((one) => (
            <tr key={one.case}>
              <th scope="row">{named(one)}</th>
              <td>{one.status === "open" && one.readers.length > 0 ? "open: another reader is to decide" : one.status}</td>
              <td>{one.readers.length === 0 ? "none yet" : one.readers.join(", ")}</td>
              <td>{one.agreement === null ? (one.readers.length > 1 ? "fewer than two masks" : "one reader or none") : one.agreement.toFixed(3)}</td>
              <td>{one.status === "labelled" && <button type="button" aria-label={`Look at the consensus of ${named(one)}`} onClick={() => { onLook(one); }}>Look</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

