/** A project's masks are proposed by another method, and its queue is ordered anew. */
import { useEffect, useEffectEvent, useState } from "react";
import { followedJob, waitingText, type Job } from "../backend/jobs";
import type { Project } from "../backend/projects";
import type { App } from "../state/app";

export function Renewing({ app, project, job }: { app: App; project: Project; job: string }) {
  const [now, setNow] = useState<Job | null>(null);
  const ended = useEffectEvent((last: Job) => {
    if (last.state === "failed") app.fail(`The masks could not be proposed anew: ${last.message}`);
    void app.guarded(() => app.labelling.load());
  });
  useEffect(() => {
    const left = new AbortController();
    followedJob(job, setNow, left.signal).then((last) => { ended(last); }, () => undefined);
    return () => { left.abort(); };
  }, [job]);
  const what = `${project.method} proposes the masks of images that nobody has read, and orders the queue by them`;
  const waits = now === null ? "" : waitingText(now);
  return (
    <div className="buttons" role="status">
      <span>{waits === "" ? what : waits}</span>
      <progress value={now?.progress} max={1} aria-label="Proposing masks" />
    </div>
  );
}
