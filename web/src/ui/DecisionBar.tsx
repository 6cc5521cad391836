/** What a reader decides on the image that is open. */
import type { Decision } from "../backend/projects";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";

const WORDS: readonly (readonly [Decision, string, string])[] = [
  ["accepted", "Accept", "The proposed mask is right"],
  ["corrected", "Keep my correction", "The mask as you have changed it"],
  ["rejected", "Reject", "The image is of no use"],
  ["handed on", "Second reader", "Hand the image to another reader"],
];

export function DecisionBar({ app }: { app: App }) {
  const { labelling, session } = app;
  useChanges(labelling);
  const { opened, said } = labelling;
  if (opened === null) return said === "" ? null : <p className="decisions" role="status">{said}</p>;
  const { one, project } = opened;
  const elsewhere = session?.scan.id !== one.scan || session.index !== one.image || session.frame !== one.frame;
  return (
    <div className="decisions">
      <span>{elsewhere && said !== "" ? said : `${project.name}: ${project.own} of ${project.images} read by you`}</span>
      {elsewhere ? (
        <button type="button" onClick={() => { void app.openFrame(one.scan, one.image, one.frame); }}>Back to the image to be labelled</button>
      ) : (
        <div className="buttons" role="group" aria-label="Decision">
          {WORDS.map(([decision, label, help]) => <button key={decision} type="button" title={help} onClick={() => { void labelling.decide(decision); }}>{label}</button>)}
        </div>
      )}
    </div>
  );
}
