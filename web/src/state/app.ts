/** What the app holds: the scans, the open images, the methods, and what is under way. */
import type { Backend, Method, Request, Scalar, Scan } from "../backend/backend";
import { BrokeOff, NeedsLogin, type Wire } from "../backend/http";
import { Server } from "../backend/server";
import { Labelling } from "./labelling";
import { Session } from "./session";
import { strokeEnded } from "./stroke";
import { Work } from "./work";

/** Methods that take a prompt, the best first; the first that there is answers a click. */
const PROMPTED = ["polar-path", "random-walker", "grab-cut", "region-growing"];

export class App extends Work {
  readonly server = new Server();
  scans: readonly Scan[] = [];
  methods: readonly Method[] = [];
  session: Session | null = null;
  readonly labelling = new Labelling(this);
  /** A second image beside it, such as a prior study. */
  beside: Session | null = null;
  method = "";
  parameters: Readonly<Record<string, Scalar>> = {};
  /** The method that a person has chosen; empty before. */
  private preferred = "";
  /** What the service offers, and who is asking; null where it does not answer. */
  about: Wire["About"] | null = null;
  /** Methods whose remarks a person has read. */
  private readonly accepted = new Set<string>();
  /** A method whose remarks are to be read before it goes on. */
  asking: Method | null = null;
  private goOn: (() => void) | null = null;
  /** What is done once a person agrees that a correction is replaced; null where nothing is asked. */
  replacing: (() => void) | null = null;
  private readonly sessions = new Map<string, Session>();
  private running: AbortController | null = null;
  private device: Promise<Backend> | null = null;
  backend: Backend = this.server;
  /** Where a person wants it to be done; the backend follows once it is ready. */
  place: "server" | "device" = "server";

  async start(): Promise<void> {
    await this.guarded(async () => {
      try {
        this.about = await this.server.about();
        this.scans = await this.server.scans();
      } catch (error) {
        this.needsLogin = error instanceof NeedsLogin;
        // With the network off the app goes on where it can.
        if (!this.needsLogin) await this.setPlace("device");
        this.changed();
        return;
      }
      this.methods = await this.backend.methods();
      this.method = this.firstMethod;
      this.changed();
    });
  }

  async logIn(name: string, password: string): Promise<void> {
    await this.during("Logging in", async () => {
      await this.server.logIn(name, password);
      // The session has ended in the middle of the work: for the same person it goes on as it is.
      if (this.account === name) this.needsLogin = false;
      else window.location.reload();
    });
  }

  /** The session has ended, and may have begun again in another tab: the work goes on as it is for the same person. */
  async lookForSession(): Promise<void> {
    const about = await this.server.about().catch(() => null);
    if (!this.needsLogin || about?.account == null) return;
    if (about.account !== this.account) {
      window.location.reload();
      return;
    }
    this.needsLogin = false;
    this.fail("");
  }

  /** The page begins anew, so that nothing of the session stays in it. */
  async logOut(): Promise<void> {
    await this.during("Logging out", async () => {
      await this.server.logOut();
      window.location.reload();
    });
  }

  /** Who is logged in; empty where the service has no accounts. */
  get account(): string {
    return this.about?.has_accounts === true ? (this.about.account ?? "") : "";
  }

  /** Without accounts everyone is the admin. */
  get isAdmin(): boolean {
    return this.about?.role === "admin";
  }

  /** Whether the account only looks at what the service has; on the device there are no accounts. */
  get onlyLooks(): boolean {
    return this.backend.place === "server" && this.about?.role === "reader";
  }

  private get firstMethod(): string {
    return (this.methods.find(({ name }) => name === "ultrasound") ?? this.methods.at(0))?.name ?? "";
  }

  /** Segments here or on the server. */
  async setPlace(place: "server" | "device"): Promise<void> {
    this.place = place;
    await this.during(place === "device" ? "Going over to this device" : "Going over to the service", async () => {
      if (place === "device") {
        this.device ??= import("../backend/device").then(({ Device }) => new Device(() => this.server.methods()));
        this.backend = await this.device;
      } else this.backend = this.server;
      this.methods = await this.backend.methods();
      this.method = this.methods.some(({ name }) => name === this.method) ? this.method : this.firstMethod;
      this.parameters = {};
      this.session = null;
      this.beside = null;
    });
    this.place = this.backend.place;
    this.changed();
  }

  // --- opening --------------------------------------------------------------------------

  async open(files: readonly File[]): Promise<void> {
    if (files.length === 0) return;
    let [opened, brokeOff] = [false as boolean, false as boolean];
    const leaving = new AbortController();
    await this.during("Opening", async (progress) => {
      const scan = await this.backend.open(files, progress, leaving.signal).catch((error: unknown) => {
        brokeOff = error instanceof BrokeOff;
        throw error;
      });
      this.add(scan);
      opened = true;
    }, () => { leaving.abort(); });
    if (opened || leaving.signal.aborted) return;
    if (brokeOff) this.brokeOff = files;
    else if (this.place === "device") this.refusedHere = files;
    this.changed();
  }

  /** Leaves the device, as a person has asked, and uploads what it could not read. */
  async openOnServer(files: readonly File[]): Promise<void> {
    await this.setPlace("server");
    if (this.backend === this.server) await this.open(files);
  }

  /** Whether it was taken. */
  async takeFromArchive(study: string, series: string | null): Promise<boolean> {
    let taken = false;
    await this.during("Fetching from the archive", async () => {
      this.add(await this.server.takeFromArchive(study, series));
      taken = true;
    });
    return taken;
  }

  async openExample(name: string): Promise<void> {
    await this.during("Opening the example", async () => {
      this.add(await this.server.openExample(name));
    });
  }

  add(scan: Scan, index = 0): void {
    this.list(scan);
    this.show(scan, index);
  }

  /** Lists a scan without showing it. */
  list(scan: Scan): void {
    this.scans = [scan, ...this.scans.filter(({ id }) => id !== scan.id)];
    this.changed();
  }

  show(scan: Scan, index: number): Session {
    const session = this.sessionOf(scan, index);
    this.session = session;
    if (this.beside === session) this.beside = null;
    this.suggest(session);
    if (this.prompted !== undefined) this.backend.prepare(this.prompted.name);
    this.changed();
    return session;
  }

  /** Shows a frame of a scan that the service has. */
  async openFrame(id: string, index: number, frame: number): Promise<Session> {
    const scan = this.scans.find((one) => one.id === id) ?? (await this.server.scan(id));
    this.scans = this.scans.includes(scan) ? this.scans : [scan, ...this.scans];
    const session = this.show(scan, index);
    session.show(frame);
    return session;
  }

  showBeside(scan: Scan | null, index = 0): void {
    this.beside = scan === null ? null : this.sessionOf(scan, index);
    this.changed();
  }

  /** Whether leaving the page would lose something. */
  get hasUnkept(): boolean {
    return [...this.sessions.values()].some(({ isUnkept }) => isUnkept);
  }

  private sessionOf(scan: Scan, index: number): Session {
    const key = `${scan.id}/${index}`;
    let session = this.sessions.get(key);
    if (session === undefined) {
      session = new Session(this.backend.place === "server" ? this.server : this.backend, scan, index);
      this.sessions.set(key, session);
    }
    return session;
  }

  /** What a person has chosen where it suits the image, else a bundle of its modality and number of axes. */
  private suggest({ image: { modality, kind } }: Session): void {
    const axes = kind === "volume" ? 3 : 2;
    const networks = this.methods.filter((one) => one.kind === "network" && one.dimensions === axes);
    const preferred = this.methods.find(({ name }) => name === (this.preferred === "" ? this.firstMethod : this.preferred));
    if (preferred === undefined) return;
    // A file that does not state its modality leaves the choice to the person.
    const suits = preferred.kind === "classical" || (preferred.dimensions === axes && (preferred.modality === modality || modality === "unknown"));
    const found = suits ? preferred : (networks.find((one) => one.modality === modality) ?? networks.at(0));
    if (found !== undefined) this.choose(found.name);
  }

  /** After a training the service has one more method. */
  async reloadMethods(): Promise<void> {
    this.server.forgetMethods();
    this.methods = await this.backend.methods();
    this.changed();
  }

  // --- segmenting -----------------------------------------------------------------------

  get current(): Method | undefined {
    return this.methods.find(({ name }) => name === this.method);
  }

  /** What answers a click, box or scribble. */
  get prompted(): Method | undefined {
    if (this.current?.takesPrompt === true) return this.current;
    const takers = this.methods.filter(({ takesPrompt, dimensions }) => takesPrompt && dimensions === 2);
    const preferred = PROMPTED.map((name) => takers.find((one) => one.name === name)).find((one) => one !== undefined);
    const stated = this.session?.image.modality ?? "unknown";
    // Of a file that does not state its modality, the chosen bundle says what it is held for.
    const held = stated === "unknown" ? this.current?.modality : stated;
    return takers.find(({ kind, modality }) => kind === "network" && modality === held) ?? preferred ?? takers.at(0);
  }

  /** As a person chooses it. */
  setMethod(name: string): void {
    this.preferred = name;
    this.choose(name);
  }

  private choose(name: string): void {
    if (name === this.method) return;
    this.method = name;
    this.parameters = {};
    this.changed();
  }

  setParameter(name: string, value: Scalar): void {
    this.parameters = { ...this.parameters, [name]: value };
    this.changed();
  }

  /** The last step is taken back, and with what a method found the parameters that it was asked with. */
  undo(session: Session): void {
    session.undo();
    this.takeParameters(session);
  }

  redo(session: Session): void {
    session.redo();
    this.takeParameters(session);
  }

  private takeParameters({ prediction }: Session): void {
    if (prediction?.method === this.method) this.parameters = prediction.parameters;
    this.changed();
  }

  /** Runs what needs a bundle once its remarks were read; those of a classical method are hints that stand beside it. */
  private afterRemarks(method: Method, then: () => void): void {
    if (method.kind === "classical" || method.remarks.length === 0 || this.accepted.has(method.name)) {
      then();
      return;
    }
    this.asking = method;
    this.goOn = then;
    this.changed();
  }

  /** What exports must say of the methods that a mask comes from, which are named with their versions. */
  remarksFor(by: readonly string[]): readonly string[] {
    return this.methods.filter(({ name }) => by.some((one) => one === name || one.startsWith(`${name} `))).flatMap(({ remarks }) => remarks);
  }

  answerRemarks(read: boolean): void {
    const [asked, then] = [this.asking, this.goOn];
    this.asking = null;
    this.goOn = null;
    if (read && asked !== null) {
      this.accepted.add(asked.name);
      then?.();
    }
    this.changed();
  }

  /** Outlines the image, or all frames of it, with the chosen method. */
  segment(all = false): void {
    const [session, method] = [this.session, this.current];
    if (session === null || method === undefined) return;
    const frames = all || method.dimensions === 3 ? session.outlinedFrames() : [session.frame];
    this.afterRemarks(method, () => { this.afterCorrections(session, frames, () => {
      const frame = all || method.dimensions === 3 ? null : session.frame;
      const alone = frame !== null || session.image.frames === 1;
      const margin = alone && session.backend.place === "server" ? (method.margins.at(0) ?? null) : null;
      const request = { method: method.name, parameters: this.parameters, prompt: null, frame, phase: frame === null ? 0 : session.phase, screenshot: false, margin };
      void this.outlined(session, request, `Outline by ${method.name}`);
    }); });
  }

  /** Replaces masks at once where no hand has corrected them, else once a person has agreed. */
  private afterCorrections(session: Session, frames: readonly number[], then: () => void): void {
    if (!frames.some((frame) => session.handSet(frame).count > 0)) {
      then();
      return;
    }
    this.replacing = then;
    this.changed();
  }

  answerReplacing(agreed: boolean): void {
    const then = this.replacing;
    this.replacing = null;
    if (agreed) then?.();
    this.changed();
  }

  /** Outlines again after a parameter was moved: what was pointed at, or the whole image. */
  segmentWithPrompt(session: Session): void {
    const { prompt } = session.marks;
    const pointed = prompt.box !== null || prompt.scribble !== null || prompt.inside.length + prompt.outside.length > 0;
    if (pointed && this.current?.takesPrompt === true) this.ask(session, "Parameters");
    else this.segment();
  }

  /** The spacing that two clicks on a scan's ruler gave, in mm a pixel. */
  setSpacing(session: Session, millimetres: number): void {
    void this.during("Setting the spacing", async () => {
      const spacing = [millimetres, millimetres] as const;
      if (session.backend.place === "server") {
        const scan = await this.server.setSpacing(session.scan, session.index, spacing);
        session.setSpacing(scan.images[session.index]);
      } else session.setSpacing({ ...session.image, spacingMm: spacing, spacingFrom: "user" });
    });
  }

  /** Outlines what a person points at. */
  ask(session: Session, label: string): void {
    const method = this.prompted;
    if (method === undefined) {
      this.fail("No method here takes a click, a box or a scribble. Expected: one that does. Try: the brush.");
      return;
    }
    this.afterRemarks(method, () => {
      const parameters = method.name === this.method ? this.parameters : {};
      const request = { method: method.name, parameters, prompt: session.marks.prompt, frame: session.frame, phase: session.phase, screenshot: false, margin: null };
      void this.outlined(session, request, label);
    });
  }

  private async outlined(session: Session, request: Request, label: string): Promise<void> {
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    const { run, lastStep: asked } = session;
    await this.during("Segmenting", async (progress) => {
      const outcome = await session.backend.segment(session.scan, session.index, request, progress, running.signal);
      await strokeEnded(session);
      if (running.signal.aborted) return;
      // A frame that was left has forgotten what was pointed at on it.
      if (request.prompt !== null && request.frame !== session.frame) return;
      if (request.prompt !== null) session.addPrediction(label, outcome, run);
      // What was drawn while the answer was on its way is not replaced in silence.
      else if (session.lastStep === asked) session.replaceAll(label, outcome, run);
      else this.afterCorrections(session, [...outcome.probability.keys()], () => { session.replaceAll(label, outcome, run); });
    }, () => { running.abort(); });
    // A later request keeps the marks, which it was sent with.
    if (this.running === running) session.forgetUnanswered();
  }
}
