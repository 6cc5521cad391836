/** Opening scans, and the list of those that are there. */
import { useEffect, useRef, useState } from "react";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import { describe } from "../state/words";
import { ArchiveDialog } from "./ArchiveDialog";
import { filesOf } from "./dropped";
import { LabelSection } from "./LabelSection";
import { Message } from "./Message";
import { goOn, useOneStop } from "./one-stop";

/** Scans that are listed before a person asks for all. */
const LISTED = 8;

interface Example {
  name: string;
  summary: string;
}

export function ScanList({ app, onPicked }: { app: App; onPicked: () => void }) {
  useChanges(app);
  const [examples, setExamples] = useState<readonly Example[]>([]);
  const [picking, setPicking] = useState(false);
  const onServer = app.backend.place === "server";
  const works = onServer && !app.onlyLooks;
  // Listed scans that arrive later would move the examples from under the pointer.
  const started = app.methods.length > 0;
  useEffect(() => {
    if (!onServer) return;
    app.server.examples().then(setExamples, () => undefined);
  }, [app, onServer]);
  const open = (chosen: readonly File[]): void => {
    onPicked();
    void app.open(chosen);
  };
  return (
    <nav className="scans" aria-label="Scans">
      {app.onlyLooks ? <p className="hint">This account is a reader&apos;s: it looks, measures and exports. To upload, outline and label, ask an admin for the role annotator.</p> : <Opening app={app} open={open} onArchive={() => { setPicking(true); }} />}
      <Scans app={app} onPicked={onPicked} />
      {picking && <ArchiveDialog app={app} onClose={() => { setPicking(false); }} onPicked={onPicked} />}
      {works && <LabelSection app={app} onPicked={onPicked} />}
      {works && started && examples.length > 0 && (
        <section>
          <h2>Examples</h2>
          <p className="hint">Generated scans, no patient&apos;s.</p>
          <ul>
            {examples.map(({ name, summary }) => (
              <li key={name}><button type="button" className="row" onClick={() => { onPicked(); void app.openExample(name); }}>{summary}</button></li>
            ))}
          </ul>
        </section>
      )}
    </nav>
  );
}

interface OpeningProps {
  app: App;
  open: (chosen: readonly File[]) => void;
  onArchive: () => void;
}

function Opening({ app, open, onArchive }: OpeningProps) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const onServer = app.backend.place === "server";
  return (
    <div
      className="drop"
      onDragOver={(event) => { event.preventDefault(); }}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void filesOf(event.dataTransfer).then(open);
      }}
    >
      <p>Drop images here: PNG, JPEG, TIFF, DICOM, NIfTI{onServer ? ", a folder or a ZIP" : " or a folder"}.</p>
      <div className="buttons">
        <button type="button" className="primary" onClick={() => files.current?.click()}>Open files</button>
        <button type="button" onClick={() => folder.current?.click()}>Open a folder</button>
        {onServer && app.about?.has_archive === true && <button type="button" onClick={onArchive}>From the archive</button>}
      </div>
      <input ref={files} hidden type="file" multiple data-testid="files" onChange={(event) => { open([...(event.target.files ?? [])]); event.target.value = ""; }} />
      <input ref={folder} hidden type="file" {...{ webkitdirectory: "" }} onChange={(event) => { open([...(event.target.files ?? [])]); event.target.value = ""; }} />
    </div>
  );
}

function Scans({ app, onPicked }: { app: App; onPicked: () => void }) {
  const [all, setAll] = useState(false);
  const [sought, setSought] = useState("");
  const list = useRef<HTMLUListElement>(null);
  useOneStop(list);
  const scans = app.backend.place === "server" ? app.scans : app.scans.filter(({ id }) => id.startsWith("device-"));
  const words = sought.toLowerCase().split(/\s+/);
  const found = scans.filter((scan) => scan.images.some((image) => words.every((word) => `${image.name} ${describe(image)}`.toLowerCase().includes(word))));
  const listed = all ? found : found.slice(0, LISTED);
  return (
    <section>
      <h2>Scans</h2>
      {scans.length === 0 && <p className="hint">None yet.</p>}
      {scans.length > LISTED && <input type="search" className="sought" aria-label="Find a scan" placeholder="Find by name, view, date" value={sought} onChange={(event) => { setSought(event.target.value); }} />}
      {scans.length > 0 && found.length === 0 && <p className="hint">None of {scans.length} is called so.</p>}
      <ul ref={list} data-long={listed.length > LISTED} onKeyDown={goOn}>
        {listed.map((scan) => (
          <li key={scan.id}>
            {scan.images.map((image, index) => (
              <button
                key={index}
                type="button"
                className="row"
                aria-current={app.session?.scan.id === scan.id && app.session.index === index}
                onClick={() => { onPicked(); app.show(scan, index); }}
              >
                <bdi>{image.name}</bdi>
                <small>{describe(image)}</small>
              </button>
            ))}
            {scan.problems.map(({ name, message }) => <div key={name} className="problem"><Message text={message.startsWith(name) ? message : `${name}: ${message}`} /></div>)}
          </li>
        ))}
      </ul>
      {listed.length < found.length && <button type="button" onClick={() => { setAll(true); }}>Show all {found.length}</button>}
    </section>
  );
}
