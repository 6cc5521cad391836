/** Labelling a data set: the next image, and what a reader decides on it. */
import { useEffect, useRef, useState } from "react";
import { projects, type Case, type Decision, type Project } from "../backend/projects";
import { differingPixels, type Mask } from "../mask/mask";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";

interface Opened {
  one: Case;
  proposed: Mask;
  since: number;
}

export function LabelSection({ app }: { app: App }) {
  useChanges(app);
  const [known, setKnown] = useState<readonly Project[]>([]);
  const [chosen, setChosen] = useState("");
  const [opened, setOpened] = useState<Opened | null>(null);
  const [told, setTold] = useState("");
  useEffect(() => { projects.all().then(setKnown, () => undefined); }, []);
  const project = known.find(({ id }) => id === chosen);
  const keep = (changed: Project): void => {
    setKnown((before) => [...before.filter(({ id }) => id !== changed.id), changed]);
    setChosen(changed.id);
  };
  const next = (from: Project): void => {
    void app.during("Opening the next image", async () => {
      const one = await projects.next(from.id);
      setTold(one === null ? "Nothing is left to read." : "");
      setOpened(one === null ? null : await openCase(app, from, one));
    });
  };
  return (
    <details className="label">
      <summary>Label a data set</summary>
      <NewProject app={app} onMade={keep} />
      {known.length > 0 && (
        <label className="field">
          Project
          <select value={chosen} onChange={(event) => { setChosen(event.target.value); setOpened(null); }}>
            <option value="">Choose one</option>
            {known.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </select>
        </label>
      )}
      {project !== undefined && (
        <>
          <p className="hint">{project.images} images, {project.open} open, {project.labelled} labelled, {project.rejected} rejected; {project.own} read by you.</p>
          <div className="buttons">
            <button
              type="button"
              disabled={app.session === null}
              onClick={() => {
                const scan = app.session?.scan.id ?? "";
                void app.during("Adding the scan", async () => {
                  await projects.addScan(project.id, scan);
                  setKnown(await projects.all());
                });
              }}
            >
              Add the open scan
            </button>
            <button type="button" className="primary" onClick={() => { next(project); }}>Next image</button>
          </div>
          {opened !== null && <Decisions app={app} project={project.id} opened={opened} onDecided={(changed) => { keep(changed); next(changed); }} />}
          <p role="status">{told}</p>
        </>
      )}
    </details>
  );
}

async function openCase(app: App, project: Project, one: Case): Promise<Opened> {
  const scan = app.scans.find(({ id }) => id === one.scan) ?? (await app.server.scan(one.scan));
  app.add(scan, one.image);
  const session = app.session;
  if (session === null) throw new Error("The image could not be opened. Try: choose the project again.");
  session.show(one.frame);
  if (one.proposed) session.replaceWhole("Proposed mask", await projects.proposed(project.id, one), [project.method]);
  return { one, proposed: { ...session.mask(), data: session.mask().data.slice() }, since: performance.now() };
}

const WORDS: readonly (readonly [Decision, string, string])[] = [
  ["accepted", "Accept", "The proposed mask is right"],
  ["corrected", "Keep my correction", "The mask as you have changed it"],
  ["rejected", "Reject", "The image is of no use"],
  ["handed on", "Second reader", "Hand the image to another reader"],
];

function Decisions({ app, project, opened, onDecided }: { app: App; project: string; opened: Opened; onDecided: (project: Project) => void }) {
  const { session } = app;
  const deciding = useRef(false);
  if (session === null || session.scan.id !== opened.one.scan) return <p className="hint">Another image is open. Press Next image to go on.</p>;
  const decide = (decision: Decision): void => {
    if (deciding.current) return;
    const changed = differingPixels(session.mask(opened.one.frame), opened.proposed) > 0;
    if (decision === "accepted" && changed) {
      app.fail("The mask was changed. Expected: the proposed mask as it is. Try: Keep my correction, or undo.");
      return;
    }
    deciding.current = true;
    const seconds = secondsSince(opened.since);
    void app.during("Keeping the decision", async () => {
      onDecided(await projects.decide(project, opened.one, decision, seconds, session.mask(opened.one.frame)));
    }).finally(() => { deciding.current = false; });
  };
  return (
    <div className="buttons" role="group" aria-label="Decision">
      {WORDS.map(([decision, label, help]) => <button key={decision} type="button" title={help} onClick={() => { decide(decision); }}>{label}</button>)}
    </div>
  );
}

function secondsSince(then: number): number {
  return (performance.now() - then) / 1000;
}

function NewProject({ app, onMade }: { app: App; onMade: (project: Project) => void }) {
  const [name, setName] = useState("");
  const [readers, setReaders] = useState(1);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void app.during("Making the project", async () => {
          onMade(await projects.add(name, app.method, readers));
          setName("");
        });
      }}
    >
      <label className="field">New project <input required value={name} maxLength={200} onChange={(event) => { setName(event.target.value); }} /></label>
      <label className="field">Readers an image <input type="number" min={1} max={20} value={readers} onChange={(event) => { setReaders(event.target.valueAsNumber); }} /></label>
      <p className="hint">{app.method} proposes the masks.</p>
      <button type="submit">Make it</button>
    </form>
  );
}
