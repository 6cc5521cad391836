/** Labelling the images of a project: which is open, and what a reader decides on it. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { projects, type Case, type Decision, type Progress, type Project } from "../backend/projects";
import { messageOf } from "../backend/backend";
import { copyOf, differingPixels, type Mask } from "../mask/mask";
import type { App } from "./app";
import { Observable } from "./observable";
import type { Session } from "./session";

/** Why a changed mask cannot be accepted. */
export const CHANGED = "Changed: keep it, or undo.";

/** An image that is open before the reader. */
export interface Opened {
  one: Case;
  project: Project;
  proposed: Mask;
  /** The last step when it was opened: up to there nothing was changed. */
  step: Session["lastStep"];
  since: number;
}

/** What is said above an image while it is shown; above none where none is. */
export interface Notice {
  text: string;
  session: Session | null;
  frame: number;
}

export class Labelling extends Observable {
  known: readonly Project[] = [];
  chosen = "";
  opened: Opened | null = null;
  told = "";
  private notice: Notice | null = null;
  private deciding = false;

  constructor(private readonly app: App) {
    super();
  }

  get project(): Project | undefined {
    return this.known.find(({ id }) => id === this.chosen);
  }

  async load(): Promise<void> {
    this.known = await projects.all();
    this.changed();
  }

  choose(project: string): void {
    this.chosen = project;
    this.opened = this.notice = null;
    this.told = "";
    this.changed();
  }

  /** Puts a project in the place of what was known of it. */
  private keep(changed: Project): void {
    this.known = [...this.known.filter(({ id }) => id !== changed.id), changed];
    this.chosen = changed.id;
    this.changed();
  }

  make(name: string, readers: number): Promise<void> {
    return this.app.during("Making the project", async () => {
      this.keep(await projects.add(name, this.app.method, readers));
    });
  }

  addScan(project: Project): Promise<void> {
    const scan = this.app.session?.scan;
    return scan === undefined ? Promise.resolve() : this.addAll([scan], (one) => projects.addScan(project.id, one.id));
  }

  /** All scans that are listed. */
  addListed(project: Project): Promise<void> {
    return this.addAll(this.app.scans, (one) => projects.addScan(project.id, one.id));
  }

  /** Each file as a scan of its own. Those of one folder within the chosen one are of one patient. */
  addFolder(project: Project, files: readonly File[]): Promise<void> {
    const seen = files.filter(({ name }) => !name.startsWith("."));
    return this.addAll(seen, async (file, signal) => {
      const scan = await this.app.server.open([file], () => undefined, signal);
      const added = await projects.addScan(project.id, scan.id, patientOf(file.webkitRelativePath));
      this.app.list(scan);
      return added;
    });
  }

  /** One after the other, until a person cancels it; tells at the end what could not be added. */
  private async addAll<T extends { name: string }>(all: readonly T[], add: (one: T, signal: AbortSignal) => Promise<readonly Case[]>): Promise<void> {
    const problems: string[] = [];
    let [taken, known] = [0, 0];
    const leaving = new AbortController();
    await this.app.during("Adding", async (progress) => {
      for (const [done, one] of all.entries()) {
        if (leaving.signal.aborted) break;
        progress(done / all.length, `Adding ${done + 1} of ${all.length}`);
        const added = await add(one, leaving.signal).catch((error: unknown) => { if (!(error instanceof DOMException)) problems.push(`${one.name}: ${messageOf(error)}`); });
        if (added === undefined) continue;
        if (added.every((image) => image.known)) known += 1;
        else taken += 1;
      }
      await this.load();
    }, () => { leaving.abort(); });
    const there = known === 0 ? "" : ` ${known} ${known === 1 ? "is" : "are"} there already, as the same file or a copy of it.`;
    this.told = `${taken} of ${all.length} scans were added.${there}`;
    if (problems.length > 0) this.app.fail(`${problems.slice(0, 5).join(" ")}${problems.length > 5 ? ` And ${problems.length - 5} more.` : ""}`);
    this.changed();
  }

  next(project: Project): Promise<void> {
    return this.app.during("Opening the next image", async () => {
      const one = await projects.next(project.id);
      this.told = "";
      this.opened = one === null ? null : await this.open(project, one);
      this.say(one === null ? `${project.name}: nothing is left for you to read.` : "");
      this.changed();
    });
  }

  private async open(project: Project, one: Case): Promise<Opened> {
    const proposed = one.proposed ? await projects.proposed(project.id, one) : null;
    const session = await this.app.openFrame(one.scan, one.image, one.frame);
    if (proposed !== null) session.replaceWhole("Proposed mask", proposed, [project.method]);
    return { one, project, proposed: copyOf(session.mask()), step: session.lastStep, since: performance.now() };
  }

  /** Why the open image cannot be accepted; empty where it can be. */
  get noAccepting(): string {
    const { opened, app: { session } } = this;
    if (opened === null || session === null) return "";
    if (!opened.one.proposed) return "No mask is proposed: draw one, or keep it empty.";
    const changed = session.lastStep !== opened.step && differingPixels(session.mask(opened.one.frame), opened.proposed) > 0;
    return changed ? CHANGED : "";
  }

  /** Keeps a decision on the image that is open, and opens the next one. */
  async decide(decision: Decision): Promise<void> {
    const { opened, app } = this;
    const { session } = app;
    if (opened === null || session === null || this.deciding || (decision === "accepted" && this.noAccepting !== "")) return;
    const mask = session.mask(opened.one.frame);
    this.deciding = true;
    const seconds = (performance.now() - opened.since) / 1000;
    let kept = null as Project | null;
    await app.during("Keeping the decision", async () => {
      kept = await projects.decide(opened.project.id, opened.one, decision, seconds, mask);
      session.markKept();
      this.keep(kept);
    });
    this.deciding = false;
    if (kept !== null) await this.next(kept);
  }

  /** An image of a project as the list of scans names it. */
  nameOf(name: string): string {
    const [scan, image, frame] = name.split("-");
    const found = this.app.scans.find(({ id }) => id === scan)?.images.at(Number(image));
    if (found === undefined) return `${scan.slice(0, 8)}, image ${Number(image) + 1}, frame ${Number(frame) + 1}`;
    return found.frames > 1 ? `${found.name}, frame ${Number(frame) + 1}` : found.name;
  }

  /** Opens an image with the mask that its readers give together. */
  showConsensus(project: Project, one: Progress): Promise<void> {
    return this.app.during("Opening the consensus", async () => {
      const mask = await projects.consensus(project.id, one);
      const session = await this.app.openFrame(one.scan, one.image, one.frame);
      session.replaceWhole("Consensus", mask, [`the consensus of ${one.readers.join(", ")}`]);
      session.markKept();
      const { readers, agreement } = one;
      this.say(`${project.name}: the mask of ${readers.join(" and ")}${agreement === null ? "" : `, whose agreement is ${agreement.toFixed(3)}`}`);
    });
  }

  private say(text: string): void {
    const { session } = this.app;
    this.notice = text === "" ? null : { text, session, frame: session?.frame ?? 0 };
    this.changed();
  }

  /** Empty where another image is shown. */
  get said(): string {
    const { session } = this.app;
    return this.notice?.session === session && this.notice.frame === (session?.frame ?? 0) ? this.notice.text : "";
  }
}

/** A pseudonym of the folder that a file lies in, within the one that was chosen; empty where it lies in that one itself. */
function patientOf(path: string): string {
  const folder = path.split("/").slice(1, -1).join("/");
  return folder === "" ? "" : bytesToHex(sha256(new TextEncoder().encode(folder))).slice(0, 16);
}
