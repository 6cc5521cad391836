/** Labelling the images of a project: which is open, and what a reader decides on it. */
import { projects, type Case, type Decision, type Progress, type Project } from "../backend/projects";
import { copyOf, differingPixels, type Mask } from "../mask/mask";
import type { App } from "./app";
import { Observable } from "./observable";

/** An image that is open before the reader. */
export interface Opened {
  one: Case;
  project: Project;
  proposed: Mask;
  since: number;
}

export class Labelling extends Observable {
  known: readonly Project[] = [];
  chosen = "";
  opened: Opened | null = null;
  told = "";
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
    this.opened = null;
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
    const scan = this.app.session?.scan.id ?? "";
    return this.app.during("Adding the scan", async () => {
      await projects.addScan(project.id, scan);
      await this.load();
    });
  }

  next(project: Project): Promise<void> {
    return this.app.during("Opening the next image", async () => {
      const one = await projects.next(project.id);
      this.told = one === null ? "Nothing is left to read." : "";
      this.opened = one === null ? null : await this.open(project, one);
      this.changed();
    });
  }

  private async open(project: Project, one: Case): Promise<Opened> {
    const proposed = one.proposed ? await projects.proposed(project.id, one) : null;
    const session = await this.app.openFrame(one.scan, one.image, one.frame);
    if (proposed !== null) session.replaceWhole("Proposed mask", proposed, [project.method]);
    return { one, project, proposed: copyOf(session.mask()), since: performance.now() };
  }

  /** Keeps a decision on the image that is open, and opens the next one. */
  async decide(decision: Decision): Promise<void> {
    const { opened, app } = this;
    const { session } = app;
    if (opened === null || session === null || this.deciding) return;
    const mask = session.mask(opened.one.frame);
    if (decision === "accepted" && differingPixels(mask, opened.proposed) > 0) {
      app.fail("The mask was changed. Expected: the proposed mask as it is. Try: Keep my correction, or undo.");
      return;
    }
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

  /** Opens an image with the mask that its readers give together. */
  showConsensus(project: Project, one: Progress): Promise<void> {
    return this.app.during("Opening the consensus", async () => {
      const mask = await projects.consensus(project.id, one);
      const session = await this.app.openFrame(one.scan, one.image, one.frame);
      session.replaceWhole("Consensus", mask, [`the consensus of ${one.readers.join(", ")}`]);
      session.markKept();
    });
  }
}
