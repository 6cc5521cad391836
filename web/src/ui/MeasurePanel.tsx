/** The measurements of each lesion, and the calipers. */
import type { Margin } from "../backend/backend";
import { lengthBetween, type Diameter } from "../mask/diameters";
import type { Point } from "../mask/mask";
import type { Measured } from "../mask/measure";
import { useChanges } from "../state/observable";
import { changeLines } from "../state/lines";
import type { Session } from "../state/session";
import { spacingBetween } from "../state/spacing";
import { areaText, lengthText, volumeText } from "../state/words";

export function MeasurePanel({ session, onRuler }: { session: Session; onRuler: () => void }) {
  useChanges(session);
  const { image, lesions } = session;
  const known = image.spacingMm !== null;
  return (
    <div>
      <p className="hint">
        {known
          ? `Pixel spacing ${image.spacingMm?.map((step) => step.toFixed(3)).join(" x ") ?? ""} mm, from ${image.spacingFrom === "user" ? "the ruler" : "the file"}.`
          : "The pixel spacing is not known. Sizes are in pixels."}
      </p>
      {!known && <button type="button" onClick={onRuler}>Set it by two clicks on the ruler</button>}
      {image.kind === "volume" && <Volume session={session} />}
      {lesions.length === 0 && <p>No lesion is outlined{image.frames > 1 ? " here" : ""}.</p>}
      {lesions.slice(0, 20).map((lesion) => <Lesion key={lesion.region.number} lesion={lesion} session={session} />)}
      {lesions.length > 20 && <p className="hint">{lesions.length - 20} smaller regions are not listed.</p>}
      {session.measurements.byHand && <button type="button" onClick={() => { changeLines(session, "Take back the moved diameters", () => { session.measurements.forgetMoved(); }); }}>Take back the moved diameters</button>}
      {session.margin !== null && <MarginText margin={session.margin} />}
      {lesions.length > 0 && <SkinHint session={session} />}
      <Calipers session={session} />
    </div>
  );
}

function Volume({ session }: { session: Session }) {
  return <p>Volume of all lesions: {volumeText(session.volume)}. The sizes below are those on this slice.</p>;
}

function Lesion({ lesion, session }: { lesion: Measured; session: Session }) {
  const { region, unit, longest, perpendicular } = lesion;
  const skin = session.skin.from(lesion);
  const line = ({ length, byHand }: Diameter): string => `${lengthText(length, unit)}${byHand === true ? ", moved by hand" : ""}`;
  return (
    <section className="lesion" aria-label={`Lesion ${region.number}`}>
      <h3>Lesion {region.number}</h3>
      <dl>
        <div><dt>Longest diameter</dt><dd>{line(longest)}</dd></div>
        <div><dt>Perpendicular</dt><dd>{line(perpendicular)}</dd></div>
        <div><dt>Area</dt><dd>{areaText(lesion.area, unit)}</dd></div>
        <div><dt>Perimeter</dt><dd>{lengthText(lesion.perimeter, unit)}</dd></div>
        {skin !== null && <div title="The shortest distance from the lesion to the skin line, in the plane of the image, between centres of pixels"><dt>Distance to skin</dt><dd>{lengthText(skin.length, unit)}</dd></div>}
        <div title="4 pi area / perimeter²: 1 for a disc"><dt>Circularity</dt><dd>{lesion.circularity.toFixed(2)}</dd></div>
        <div title="Area over that of the convex hull"><dt>Solidity</dt><dd>{lesion.solidity.toFixed(2)}</dd></div>
        <div title="Height over width of the box around it"><dt>Height : width</dt><dd>{lesion.tallerThanWide.toFixed(2)}</dd></div>
      </dl>
    </section>
  );
}

/** What the dotted contours promise. */
function MarginText({ margin: { coverage, ranges } }: { margin: Margin }) {
  const share = `${(100 * coverage).toFixed(0)} %`;
  return (
    <section className="lesion" aria-label="Inner and outer margin">
      <h3>Inner and outer margin</h3>
      <dl>
        {ranges.map(({ number, unit, longest: [low, high] }) => (
          <div key={number}><dt>Longest diameter of lesion {number}</dt><dd>{lengthText(low, unit)} to {lengthText(high, unit)}</dd></div>
        ))}
      </dl>
      <p className="hint">
        With a probability of {share} all of a lesion lies within its outer dotted contour, and with {share} all within the inner one is
        lesion, for images like those of the calibration. On another scanner nothing is promised, and nothing is said of
        lesions that were missed. A mask that was changed has no such margin.
      </p>
    </section>
  );
}

/** Where the skin line comes from, or how it is laid. */
function SkinHint({ session }: { session: Session }) {
  const { skin, lesions } = session;
  if (skin.line !== null) {
    return (
      <p className="hint">
        The skin line was laid by hand; it goes on straight beyond its ends.{" "}
        <button type="button" onClick={() => { changeLines(session, "Remove the skin line", () => { skin.lay(null); }); }}>Remove it</button>
      </p>
    );
  }
  if (skin.from(lesions[0]) !== null) return <p className="hint">The skin line is the breast&apos;s edge as seen in this mammogram. The Skin tool lays another one.</p>;
  return <p className="hint">The skin line is not known here. Lay it with the Skin tool to get the distance to it.</p>;
}

function Calipers({ session }: { session: Session }) {
  const { calipers, image } = session;
  if (calipers.length === 0) return null;
  const text = ([a, b]: [Point, Point]): string => {
    const steps = spacingBetween(image, a, b);
    return steps === null ? lengthText(lengthBetween(a, b), "px") : lengthText(lengthBetween(a, b, steps), "mm");
  };
  return (
    <section aria-label="Calipers">
      <h3>Calipers</h3>
      <ul className="calipers">
        {calipers.map(({ ends, frame }, index) => (
          <li key={index}>
            {String.fromCharCode(65 + (index % 26))}: {text(ends)}
            {image.frames > 1 ? ` (${frame + 1})` : ""}
            <button type="button" aria-label={`Remove caliper ${String.fromCharCode(65 + (index % 26))}`} onClick={() => { changeLines(session, "Remove the caliper", () => { session.setCalipers(calipers.filter((_, other) => other !== index)); }); }}>Remove</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
