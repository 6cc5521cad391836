/** Files that the service makes of a version; what it cannot make is told beforehand. */
import { answered } from "../backend/http";
import type { Version } from "../backend/backend";
import { versionPath } from "../backend/server";
import type { App } from "../state/app";
import { refusal, type Made } from "../state/offered";
import type { Session } from "../state/session";
import { save } from "./exports";

export interface MadeFilesProps {
  app: App;
  session: Session;
  files: readonly Made[];
  lesions: number;
  /** The version that they are made of; it may have to be kept first. */
  version: () => Promise<Version>;
  disabled?: boolean;
}

export function MadeFiles({ app, session, files, lesions, version, disabled = false }: MadeFilesProps) {
  const { image, scan, index } = session;
  const get = (name: string): void => {
    void app.during("Exporting", async () => {
      const kept = await version();
      const response = await answered(versionPath(scan, index, kept, `exports/${name}`));
      save(await response.blob(), `${stemOf(session, kept.frame)}-${name}`);
    });
  };
  const refusals = [...new Set(files.map(([name]) => refusal(name, image, lesions)))].filter((why) => why !== "");
  return (
    <>
      <div className="buttons column">
        {files.map(([name, label]) => (
          <button key={name} type="button" disabled={disabled || refusal(name, image, lesions) !== ""} onClick={() => { get(name); }}>{label}</button>
        ))}
      </div>
      {refusals.map((why) => <p key={why} className="hint">{why}</p>)}
    </>
  );
}

/** What files of an image, or of a frame of it, are called. */
export function stemOf({ image }: Session, frame: number): string {
  return `${image.name.replace(/\.[^.]+$/, "")}${image.frames > 1 ? `-${frame + 1}` : ""}`;
}
