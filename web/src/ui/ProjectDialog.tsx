/** A project as its admin sees it: what labelling took, how far the readers agree, the mask that they give together. */
import { useEffect, useState } from "react";
import { projects, type Effort, type Progress, type Project } from "../backend/projects";
import type { App } from "../state/app";
import { durationText } from "../state/words";
import { Dialog } from "./Dialog";

export interface ProjectDialogProps {
  app: App;
  project: Project;
  onClose: () => void;
  /** An image of it is to be seen. */
  onLook: () => void;
}

export function ProjectDialog({ app, project, onClose, onLook }: ProjectDialogProps) {
  const [effort, setEffort] = useState<readonly Effort[] | null>(null);
  const [cases, setCases] = useState<readonly Progress[]>([]);
  useEffect(() => {
    void app.guarded(async () => {
      const [took, read] = await Promise.all([projects.effort(project.id), projects.cases(project.id)]);
      setEffort(took);
      setCases(read);
    });
  }, [app, project]);
  const look = (one: Progress): void => {
    onClose();
    void app.labelling.showConsensus(project, one).then(onLook);
  };
  return (
    <Dialog title={`Project ${project.name}`} onClose={onClose}>
      {effort === null ? <p>Loading</p> : effort.length === 0 ? <p>Nobody has read an image yet.</p> : <EffortTable effort={effort} />}
      {cases.length > 0 && <CaseTable cases={cases} nameOf={(one) => nameOf(app, one)} onLook={look} />}
      <p className="hint">
        The agreement is the mean Dice of all pairs of readers: 1 is the same mask, and two empty masks agree by 1. The consensus is
        STAPLE&apos;s; where more than half of the readers see no lesion, there is none.
      </p>
      <div className="buttons">
        <button type="button" className="primary" autoFocus onClick={onClose}>Close</button>
        {project.labelled > 0 && <a className="button" download href={`/api/projects/${project.id}/labels.zip`}>Labels (ZIP)</a>}
      </div>
    </Dialog>
  );
}

function EffortTable({ effort }: { effort: readonly Effort[] }) {
  return (
    <div className="wide">
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
    <div className="wide">
      <table>
        <caption>Images and readers</caption>
        <thead>
          <tr>{["Image", "State", "Readers", "Agreement", "Consensus"].map((head) => <th key={head} scope="col">{head}</th>)}</tr>
        </thead>
        <tbody>
          {cases.map((one) => (
            <tr key={one.case}>
              <th scope="row">{named(one)}</th>
              <td>{one.status}</td>
              <td>{one.readers.length === 0 ? "none yet" : one.readers.join(", ")}</td>
              <td>{one.agreement === null ? (one.readers.length > 1 ? "no masks" : "one reader or none") : one.agreement.toFixed(3)}</td>
              <td>{one.status === "labelled" && <button type="button" aria-label={`Look at the consensus of ${named(one)}`} onClick={() => { onLook(one); }}>Look</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** An image as the list of scans names it. */
function nameOf(app: App, { scan, image, frame }: Progress): string {
  const found = app.scans.find(({ id }) => id === scan)?.images.at(image);
  if (found === undefined) return `${scan.slice(0, 8)}, image ${image + 1}, frame ${frame + 1}`;
  return found.frames > 1 ? `${found.name}, frame ${frame + 1}` : found.name;
}
