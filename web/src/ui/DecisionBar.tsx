/** What a reader decides on the image that is open. */
import { useId } from "react";
import type { Decision } from "../backend/projects";
import type { App } from "../state/app";
import { CHANGED } from "../state/labelling";
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
  const note = useId();
  const { opened, said, noAccepting } = labelling;
  if (opened === null) return said === "" ? null : <p className="decisions" role="status">{said}</p>;
  const { one, project } = opened;
  const elsewhere = session?.scan.id !== one.scan || session.index !== one.image || session.frame !== one.frame;
  const progress = `${project.name}: ${project.own} of ${project.images} read by you`;
  const barred = noAccepting !== "" && !elsewhere;
  return (
    <div className="decisions">
      <span className="either" role="status">
        <span data-shown={!barred}>{elsewhere && said !== "" ? said : progress}</span>
        <span id={note} data-shown={barred}>{noAccepting === "" ? CHANGED : noAccepting}</span>
      </span>
      {elsewhere ? (
        <button type="button" onClick={() => { void app.openFrame(one.scan, one.image, one.frame); }}>Back to the image to be labelled</button>
      ) : (
        <div className="buttons" role="group" aria-label="Decision">
          {WORDS.map(([decision, label, help]) => {
            // It keeps the focus of the keyboard, so that the reason beside it is heard.
            const off = decision === "accepted" && barred;
            return <button key={decision} type="button" title={off ? noAccepting : help} aria-disabled={off} aria-describedby={off ? note : undefined} onClick={() => { void labelling.decide(decision); }}>{label}</button>;
          })}
        </div>
      )}
    </div>
  );
}
