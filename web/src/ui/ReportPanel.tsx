/** What can be taken away: a sentence, files, a report. */
import { useState } from "react";
import { pngOf } from "../backend/png";
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import { keptNow } from "../state/versions";
import { MADE } from "../state/offered";
import { sentence } from "../state/words";
import { cocoOf, csvOf, overlayOf, reportOf, save } from "./exports";
import { MadeFiles, stemOf } from "./MadeFiles";
import type { App } from "../state/app";

export function ReportPanel({ app, session }: { app: App; session: Session }) {
  useChanges(session);
  const [copied, setCopied] = useState(false);
  const text = sentence(session);
  const stem = stemOf(session, session.frame);
  const remarks = [...new Set([...app.remarksFor(session.authors.by), ...session.image.remarks])];
  const about = { text, remarks };
  const saving = (what: () => Promise<Blob>, name: string): void => {
    void app.during("Exporting", async () => { save(await what(), name); });
  };
  return (
    <div>
      <label className="field">
        Sentence to paste
        <textarea readOnly rows={4} value={text} />
      </label>
      <button
        type="button"
        onClick={() => {
          void navigator.clipboard.writeText(text).then(() => { setCopied(true); });
        }}
      >
        {copied ? "Copied" : "Copy"}
      </button>
      {remarks.map((remark) => <p key={remark} className="remark">{remark}</p>)}
      <h3>Save</h3>
      <div className="buttons column">
        <button type="button" onClick={() => { saving(() => overlayOf(session), `${stem}-overlay.png`); }}>Overlay (PNG)</button>
        <button type="button" onClick={() => { saving(() => Promise.resolve(pngOf(session.mask())), `${stem}-mask.png`); }}>Mask (PNG)</button>
        <button type="button" onClick={() => { saving(() => Promise.resolve(cocoOf(session, about)), `${stem}-coco.json`); }}>Contours (COCO JSON)</button>
        <button type="button" onClick={() => { saving(() => Promise.resolve(csvOf(session, about)), `${stem}.csv`); }}>Measurements (CSV)</button>
        <button type="button" onClick={() => { saving(() => reportOf(session, about), `${stem}-report.html`); }}>Report (HTML)</button>
      </div>
      {session.backend.place === "server" ? <FromService app={app} session={session} /> : <p className="hint">For a PDF, print the HTML report.</p>}
    </div>
  );
}

/** Files that the service makes of the mask, which it keeps as a version for that. */
function FromService({ app, session }: { app: App; session: Session }) {
  const { authors, measurements } = session;
  const nothing = authors.by.length === 0 && !authors.byHand;
  return (
    <>
      <h3>Save with the service</h3>
      <p className="hint">{nothing ? "Outline a lesion first." : "The mask is kept as a version for it."}</p>
      {measurements.byHand && <p className="remark">These files have the diameters as measured, not as you have moved them.</p>}
      <MadeFiles app={app} session={session} files={MADE} lesions={session.lesions.length} version={() => keptNow(app.server, session)} disabled={nothing} />
    </>
  );
}
