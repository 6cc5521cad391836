/** Versions: every kept mask with who and when; compared with the model's. */
import { useEffect, useState } from "react";
import type { Version } from "../backend/backend";
import { differingPixels, dice } from "../mask/mask";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import { MADE, type Made } from "../state/offered";
import { frameNoun } from "../state/words";
import { kept } from "../state/versions";
import { MadeFiles } from "./MadeFiles";

const FILES: readonly Made[] = [...MADE, ["report.html", "Report (HTML)"], ["results.json", "Results (JSON)"]];

export function VersionsPanel({ app, session }: { app: App; session: Session }) {
  useChanges(session);
  const [versions, setVersions] = useState<readonly Version[] | null>(null);
  const [note, setNote] = useState("");
  const [elsewhere, setElsewhere] = useState<readonly Version[]>([]);
  const onServer = session.backend.place === "server";
  useEffect(() => {
    if (!onServer) return;
    app.server.versions(session.scan, session.index).then(setVersions, () => { setVersions([]); });
  }, [app, session, onServer]);
  const keep = (): void => {
    void app.during("Keeping the version", async () => {
      const version = await kept(app.server, session, note);
      setNote("");
      // Another window or person may have kept one since the list was read: it is told of, and no version replaces another.
      const now = await app.server.versions(session.scan, session.index);
      const known = new Set([...(versions ?? now), version].map(keyOf));
      setElsewhere(now.filter((one) => !known.has(keyOf(one))));
      setVersions(now);
    });
  };
  const open = (version: Version): void => {
    void app.during("Opening the version", async () => {
      const mask = await app.server.versionMask(session.scan, session.index, version);
      session.show(version.frame);
      session.skin.lay(version.skinLine);
      session.replaceWhole(`Version ${version.number}`, mask, [...version.base, `${version.createdBy} (version ${version.number})`], version.baseId);
      session.markKept(version);
    });
  };
  return (
    <div>
      <Comparison session={session} />
      {onServer ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            keep();
          }}
        >
          <label className="field">Note <input value={note} maxLength={1000} onChange={(event) => { setNote(event.target.value); }} /></label>
          <button type="submit" className="primary">Keep this version</button>
        </form>
      ) : (
        <p className="hint">On this device nothing is kept. Save the mask from the Report tab.</p>
      )}
      {elsewhere.length > 0 && <p role="status" className="remark">Meanwhile kept elsewhere: {elsewhere.map(({ number, createdBy }) => `version ${number} by ${createdBy}`).join(", ")}. Yours does not hold what was changed there; both stay.</p>}
      <ol className="versions" aria-label="Versions">
        {versions?.map((version) => (
          <Row key={keyOf(version)} app={app} session={session} version={version} onOpen={() => { open(version); }} />
        ))}
      </ol>
    </div>
  );
}

function Row({ app, session, version, onOpen }: { app: App; session: Session; version: Version; onOpen: () => void }) {
  return (
    <li>
      <strong>Version {version.number}</strong>
      {session.image.frames > 1 ? ` of ${frameNoun(session.image)} ${version.frame + 1}` : ""} by {version.createdBy}, <time dateTime={version.createdAt}>{new Date(version.createdAt).toLocaleString()}</time>
      {version.note !== "" && <em> {version.note}</em>}
      <button type="button" onClick={onOpen}>Open</button>
      <details>
        <summary>Files</summary>
        <MadeFiles app={app} session={session} files={FILES} lesions={version.lesions} version={() => Promise.resolve(version)} />
      </details>
    </li>
  );
}

/** Of an image; each frame counts its own. */
function keyOf({ frame, number }: Version): string {
  return `${frame}/${number}`;
}

function Comparison({ session }: { session: Session }) {
  const model = session.modelMask;
  if (model === undefined) return <p className="hint">No model has outlined this image.</p>;
  const now = session.mask();
  return (
    <p>
      Compared with {session.prediction?.method ?? "the model"}: Dice {dice(now, model).toFixed(3)}, {differingPixels(now, model)} pixels differ.
    </p>
  );
}
