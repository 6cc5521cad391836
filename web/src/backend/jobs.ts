/** Jobs of the service, followed by their events. */
import { Told } from "./backend";
import { answered, type Wire } from "./http";

export type Job = Wire["JobInfo"];

/** Follows a job until it is finished; leaving does not end the job. */
export function followedJob(id: string, told: (job: Job) => void, left: AbortSignal): Promise<Job> {
  return new Promise((resolve, reject) => {
    const events = new EventSource(`/api/jobs/${id}/events`);
    left.addEventListener("abort", () => {
      events.close();
      reject(new DOMException("left", "AbortError"));
    });
    events.onerror = () => {
      // A connection that broke is tried again by the browser; an answer that is none, as after a logout, is not.
      if (events.readyState !== EventSource.CLOSED) return;
      reject(new Told("The service no longer tells of this job. Expected: it runs, and you are logged in. Try: load the page again; the job goes on."));
    };
    events.addEventListener("job", (event) => {
      const job = JSON.parse(String(event.data)) as Job;
      told(job);
      if (job.state === "queued" || job.state === "running") return;
      events.close();
      resolve(job);
    });
  });
}

/** Why a job does not go on; empty where it does. */
export function waitingText({ waits_for: reason }: Job): string {
  return reason === "" ? "" : `Waiting: ${reason}`;
}

export async function cancelJob(id: string): Promise<void> {
  await answered(`/jobs/${id}/cancel`, { method: "POST" });
}
