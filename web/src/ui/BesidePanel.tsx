/** Two scans side by side, and what has grown. */
import { useState } from "react";
import { grownBetween, pairedByPlace, type Pair } from "../mask/growth";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import { lengthText } from "../state/words";

export function BesidePanel({ app, session }: { app: App; session: Session }) {
  useChanges(app);
  const { beside } = app;
  const choices = app.scans.flatMap((scan) => scan.images.map((image, index) => ({ scan, index, key: `${scan.id}/${index}`, name: image.name })));
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
      {beside === null ? <p className="hint">Choose a prior study or another view.</p> : <Growth key={now} session={session} prior={beside} />}
    </div>
  );
}

function Growth({ session, prior }: { session: Session; prior: Session }) {
  useChanges(session);
  useChanges(prior);
  const [chosen, setChosen] = useState<Readonly<Record<number, number>>>({});
  if (session.lesions.length === 0 || prior.lesions.length === 0) return <p className="hint">Outline the lesion in both images.</p>;
  const pairs = pairedByPlace(session.lesions, prior.lesions, session.image, prior.image).map((pair): Pair => {
    const number = chosen[pair.now.region.number] as number | undefined;
    return number === undefined ? pair : { now: pair.now, prior: prior.lesions.find(({ region }) => region.number === number) ?? null };
  });
  return (
    <table>
      <caption>Growth since the image beside</caption>
      <thead><tr><th scope="col">Lesion</th><th scope="col">Prior</th><th scope="col">Longest diameter</th><th scope="col">Change</th></tr></thead>
      <tbody>
        {pairs.map((pair) => (
          <tr key={pair.now.region.number}>
            <td>{pair.now.region.number}</td>
            <td>
              <select
                aria-label={`Prior lesion of lesion ${pair.now.region.number}`}
                value={pair.prior?.region.number ?? 0}
                onChange={(event) => { setChosen({ ...chosen, [pair.now.region.number]: Number(event.target.value) }); }}
              >
                <option value={0}>new</option>
                {prior.lesions.map(({ region }) => <option key={region.number} value={region.number}>{region.number}</option>)}
              </select>
            </td>
            <td>{lengthText(pair.now.longest.length, pair.now.unit)}</td>
            <td>{grownText(pair)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function grownText(pair: Pair): string {
  if (pair.prior === null) return "new";
  const grown = grownBetween(pair);
  if (grown === null) return "not known: the pixel spacing of both is needed";
  const sign = grown.millimetres >= 0 ? "+" : "";
  return `${sign}${grown.millimetres.toFixed(1)} mm, ${sign}${grown.percent.toFixed(0)} %`;
}
