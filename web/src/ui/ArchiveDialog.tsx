/** Picking a study of the configured DICOMweb server. */
import { useState } from "react";
import { archive, type Search, type Series, type Study } from "../backend/archive";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import { personText } from "../state/words";
import { Dialog } from "./Dialog";
import { Message } from "./Message";

const FIELDS: readonly (readonly [keyof Search, string])[] = [
  ["patient_id", "Patient ID"],
  ["patient_name", "Patient's name"],
  ["accession_number", "Accession number"],
  ["study_date", "Study date, as 20250301 or 20250101-20250331"],
];

export function ArchiveDialog({ app, onClose, onPicked }: { app: App; onClose: () => void; onPicked: () => void }) {
  useChanges(app);
  const [search, setSearch] = useState<Search>({});
  const [found, setFound] = useState<readonly Study[] | null>(null);
  const said = Object.entries(search).filter(([, text]) => text !== "");
  const take = (study: string, series: string | null): void => {
    void app.takeFromArchive(study, series).then((taken) => {
      if (!taken) return;
      onClose();
      onPicked();
    });
  };
  return (
    <Dialog title="Open from the archive" onClose={onClose} results>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void app.during("Looking in the archive", async () => { setFound(await archive.search(Object.fromEntries(said))); });
        }}
      >
        {FIELDS.map(([name, label], index) => (
          <label key={name} className="field">
            {label}
            <input value={search[name] ?? ""} maxLength={64} autoFocus={index === 0} autoComplete="off" onChange={(event) => { setSearch({ ...search, [name]: event.target.value }); }} />
          </label>
        ))}
        <p className="hint">At least one of them. A star stands for any text.</p>
        <div className="buttons">
          <button type="submit" className="primary" disabled={said.length === 0 || app.busy !== null}>Search</button>
          <button type="button" onClick={onClose}>Close</button>
        </div>
      </form>
      {app.busy !== null && <p role="status">{app.busy.what}</p>}
      {app.error !== "" && <div role="alert" className="problem"><Message text={app.error} /></div>}
      {found !== null && (found.length === 0 ? <p>No study was found.</p> : <ul className="studies">{found.map((one) => <StudyRow key={one.study} app={app} study={one} onTake={take} />)}</ul>)}
    </Dialog>
  );
}

function StudyRow({ app, study, onTake }: { app: App; study: Study; onTake: (study: string, series: string | null) => void }) {
  const [series, setSeries] = useState<readonly Series[] | null>(null);
  const what = [dateText(study.date), study.modalities, study.description, imagesText(study)].filter((part) => part !== "").join(", ");
  return (
    <li>
      <strong>{study.patient_name === "" ? study.patient_id : `${personText(study.patient_name)} (${study.patient_id})`}</strong> {what}
      <div className="buttons">
        <button type="button" disabled={app.busy !== null} onClick={() => { onTake(study.study, null); }}>Open all images</button>
        <button type="button" disabled={app.busy !== null} onClick={() => { void app.guarded(async () => { setSeries(await archive.series(study.study)); }); }}>Show its series</button>
      </div>
      {series !== null && (
        <ul className="studies">
          {series.map((one) => (
            <li key={one.series}>
              Series {one.number} {one.modality} {[one.description, imagesText(one)].filter((part) => part !== "").join(", ")}{" "}
              <button type="button" disabled={app.busy !== null} onClick={() => { onTake(study.study, one.series); }}>Open</button>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function imagesText({ instances }: { instances: string }): string {
  return instances === "" ? "" : `${instances} ${instances === "1" ? "image" : "images"}`;
}

/** 20250301 as 2025-03-01. */
function dateText(date: string): string {
  return /^\d{8}$/.test(date) ? `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}` : date;
}
