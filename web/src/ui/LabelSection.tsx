/** Labelling a data set: projects and their images. What is decided on an image stands above it. */
import { useEffect, useRef, useState } from "react";
import type { Project } from "../backend/projects";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import { DecisionBar } from "./DecisionBar";
import { ProjectDialog } from "./ProjectDialog";
import { Renewing } from "./Renewing";
import { TrainingDialog } from "./TrainingDialog";

export function LabelSection({ app, onPicked }: { app: App; onPicked: () => void }) {
  const { labelling } = app;
  useChanges(app);
  useChanges(labelling);
  useEffect(() => { labelling.load().catch(() => undefined); }, [labelling]);
  const { known, chosen, project, told } = labelling;
  return (
    <details className="label">
      <summary>Label a data set</summary>
      {known.length > 0 && (
        <label className="field">
          Project
          <select value={chosen} onChange={(event) => { labelling.choose(event.target.value); }}>
            <option value="">Choose one</option>
            {known.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </select>
        </label>
      )}
      {project !== undefined && <Chosen app={app} project={project} onPicked={onPicked} />}
      <p role="status">{told}</p>
      {app.session === null && <DecisionBar app={app} />}
      <details open={known.length === 0}>
        <summary>New project</summary>
        <NewProject app={app} />
      </details>
    </details>
  );
}

function Chosen({ app, project, onPicked }: { app: App; project: Project; onPicked: () => void }) {
  const [shown, setShown] = useState<"effort" | "training" | null>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { labelling } = app;
  return (
    <>
      <p className="hint">
        {project.images} {project.images === 1 ? "image" : "images"}, {project.open} open, {project.labelled} labelled, {project.rejected} rejected; {project.own} read by you. {project.method} proposes the masks.
        {project.readers_per_case > 1 && ` An image is open until ${project.readers_per_case} readers have decided on it.`}
      </p>
      {project.renewing !== null && shown === null && <Renewing app={app} project={project} job={project.renewing} />}
      <div className="buttons">
        <button type="button" disabled={app.session === null || app.busy !== null} onClick={() => { void labelling.addScan(project); }}>Add the open scan</button>
        <button type="button" disabled={app.scans.length === 0 || app.busy !== null} onClick={() => { void labelling.addListed(project); }}>Add {app.scans.length === 1 ? "the listed scan" : `all ${app.scans.length} listed scans`}</button>
        <button type="button" disabled={app.busy !== null} title="Each file is a scan. Files of one folder within it count as one patient." onClick={() => folder.current?.click()}>Add a folder</button>
        <input ref={folder} hidden type="file" data-testid="label-folder" {...{ webkitdirectory: "" }} onChange={(event) => { void labelling.addFolder(project, [...(event.target.files ?? [])]); event.target.value = ""; }} />
        <button type="button" className="primary" onClick={() => { void labelling.next(project).then(() => { if (app.session !== null) onPicked(); }); }}>Next image</button>
        {app.isAdmin && <button type="button" onClick={() => { setShown("effort"); }}>Agreement and effort</button>}
        {app.isAdmin && <button type="button" onClick={() => { setShown("training"); }}>Retrain</button>}
      </div>
      {shown === "effort" && <ProjectDialog app={app} project={project} onClose={() => { setShown(null); }} onLook={onPicked} />}
      {shown === "training" && <TrainingDialog app={app} project={project} onClose={() => { setShown(null); }} />}
    </>
  );
}

function NewProject({ app }: { app: App }) {
  const [name, setName] = useState("");
  const [readers, setReaders] = useState(1);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void app.labelling.make(name, readers).then(() => { setName(""); });
      }}
    >
      <label className="field">Name <input required value={name} maxLength={200} onChange={(event) => { setName(event.target.value); }} /></label>
      <label className="field">Readers an image <input type="number" required min={1} max={20} value={readers} onChange={(event) => { setReaders(event.target.valueAsNumber); }} /></label>
      <p className="hint">{app.method} proposes the masks.</p>
      <button type="submit">Make it</button>
    </form>
  );
}
