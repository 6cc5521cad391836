/** Two scans side by side, and what has grown. */
import { useEffect, useState } from "react";
import { gone, grownBetween, paired, type Pair } from "../mask/growth";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import { describe, growthText, isMoved, lengthText, volumeText } from "../state/words";

export function BesidePanel({ app, session }: { app: App; session: Session }) {
  useChanges(app);
  const { beside } = app;
  const choices = app.scans.flatMap((scan) => scan.images.map((image, index) => ({ scan, index, key: `${scan.id}/${index}`, name: `${image.name} (${describe(image)})` })));
  const now = beside === null ? "" : `${beside.scan.id}/${beside.index}`;
  return (
    <div>
      <label className="field">
        Beside this image
        <select
          value={now}
          onChange={(event) => {
            const chosen = choices.find(({ key }) => key === event.target.value);
            app.showBeside(chosen?.scan ?? null, chosen?.index);
          }}
        >
          <option value="">Nothing</option>
          {choices.filter(({ key }) => key !== `${session.scan.id}/${session.index}`).map(({ key, name }) => <option key={key} value={key}>{name}</option>)}
        </select>
      </label>
      {beside === null ? <p className="hint">Choose a prior study or another view.</p> : (
        <>
          <Patients key={now} app={app} session={session} prior={beside} />
          <Growth key={`growth ${now}`} session={session} prior={beside} />
        </>
      )}
    </div>
  );
}

const UNKNOWN = "Whether both images are of one patient is not known here: look before you compare.";

/** Whether the image beside may be a prior at all. */
function Patients({ app, session, prior }: { app: App; session: Session; prior: Session }) {
  const onServer = session.backend.place === "server" && prior.backend.place === "server";
  const [patient, setPatient] = useState<"same" | "other" | "unknown" | null>(onServer ? null : "unknown");
  useEffect(() => {
    if (!onServer) return;
    app.server.patientBeside([session.scan, session.index], [prior.scan, prior.index]).then(setPatient, () => { setPatient("unknown"); });
  }, [app, session, prior, onServer]);
  if (patient === null || patient === "same") return null;
  return patient === "other" ? <p role="alert" className="remark">The files name different patients: check that the image beside is the right one.</p> : <p className="hint">{UNKNOWN}</p>;
}

function Growth({ session, prior }: { session: Session; prior: Session }) {
  useChanges(session);
  useChanges(prior);
  const [chosen, setChosen] = useState<Readonly<Record<number, number>>>({});
  const sameView = session.image.view === prior.image.view || session.image.view === "" || prior.image.view === "";
  const pairs = paired(session.lesions, sameView ? prior.lesions : [], session.image, prior.image).map((pair): Pair => {
    const number = chosen[pair.now.region.number] as number | undefined;
    return number === undefined ? pair : { now: pair.now, prior: prior.lesions.find(({ region }) => region.number === number) ?? null };
  });
  useCaptions(session, pairs.map(({ now, prior: before }) => [now.region.number, before === null ? "new" : growthText(grownBetween({ now, prior: before }))]));
  useCaptions(prior, pairs.flatMap(({ now, prior: before }) => (before === null ? [] : [[before.region.number, `prior of ${now.region.number}`]])));
  if (session.lesions.length === 0 || prior.lesions.length === 0) return <p className="hint">Outline the lesion in both images.</p>;
  const lost = gone(pairs, prior.lesions);
  const [dateNow, dateBefore] = [session.image.studyDate, prior.image.studyDate];
  return (
    <>
      {dateNow !== "" && dateBefore !== "" && (dateBefore > dateNow
        ? <p className="remark">The image beside is the later one ({dateBefore}, this one {dateNow}): growth would have the wrong sign. Swap them.</p>
        : <p className="hint">{dateBefore === dateNow ? `Both are of ${dateNow}.` : `From ${dateBefore} to ${dateNow}.`}</p>)}
      {pairs.map((pair) => (
        <section key={pair.now.region.number} className="lesion" aria-label={`Growth of lesion ${pair.now.region.number}`}>
          <h3>Lesion {pair.now.region.number}</h3>
          <label className="field">
            Prior lesion
            <select
              value={pair.prior?.region.number ?? 0}
              onChange={(event) => { setChosen({ ...chosen, [pair.now.region.number]: Number(event.target.value) }); }}
            >
              <option value={0}>none: it is new</option>
              {prior.lesions.map(({ region, longest, unit }) => <option key={region.number} value={region.number}>{region.number} ({lengthText(longest.length, unit)})</option>)}
            </select>
          </label>
          <dl>
            {pair.prior !== null && <div><dt>Longest diameter before</dt><dd>{lengthText(pair.prior.longest.length, pair.prior.unit)}</dd></div>}
            <div><dt>Longest diameter now</dt><dd>{lengthText(pair.now.longest.length, pair.now.unit)}</dd></div>
            {pair.prior !== null && <div><dt>Growth</dt><dd>{growthText(grownBetween(pair))}{isMoved(pair.now) || isMoved(pair.prior) ? ", of diameters moved by hand" : ""}</dd></div>}
          </dl>
        </section>
      ))}
      {lost.length > 0 && <p>No longer outlined: {lost.map(({ region }) => `prior lesion ${region.number}`).join(", ")}.</p>}
      <VolumeGrowth session={session} prior={prior} />
      <p className="hint">The growth is that of the longest diameter, and it stands beside each lesion in the image.</p>
      {sameView ? (
        <p className="remark">Lesions were paired by place and size alone: check them.</p>
      ) : (
        <p className="remark">The views differ ({session.image.view} and {prior.image.view}), so no lesion was paired. Choose the prior lesion of each.</p>
      )}
    </>
  );
}

/** Writes something beside lesions in the image as long as this is shown. */
function useCaptions(session: Session, captions: readonly (readonly [number, string])[]): void {
  const text = JSON.stringify(captions);
  useEffect(() => {
    session.setCaptions(new Map(JSON.parse(text) as [number, string][]));
    return () => { session.setCaptions(new Map()); };
  }, [session, text]);
}

function VolumeGrowth({ session, prior }: { session: Session; prior: Session }) {
  const [now, before] = [session.volume, prior.volume];
  if (session.image.kind !== "volume" || prior.image.kind !== "volume" || before.voxels === 0) return null;
  const percent = now.cubicMm === null || before.cubicMm === null ? null : 100 * (now.cubicMm / before.cubicMm - 1);
  return <p>Volume of all lesions: {volumeText(before)} before, {volumeText(now)} now{percent === null ? "" : `, ${percent >= 0 ? "+" : ""}${percent.toFixed(0)} %`}.</p>;
}
