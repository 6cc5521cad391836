/** One open image: its pixels, its masks, what a person does to them, and every step back. */
import { namedWithVersion, type Backend, type Frame, type ImageInfo, type Margin, type Outcome, type Prompt, type Scan, type Version } from "../backend/backend";
import { copyOf, countOf, EMPTY, emptyMask, union, type Box, type Mask } from "../mask/mask";
import type { Measured, SpacingAt } from "../mask/measure";
import { cutOf, marginOf, modelMaskOf, predictionOn, type Prediction } from "./prediction";
import { authorsOf, lastOfMask, recorded, redone, undone, type Authors, type History, type Origin, type Run } from "./history";
import { HandSets, keptByHand, newlyMarked } from "./hand";
import { linesOf, putLines, type Caliper, type Lines } from "./lines";
import { Measurements } from "./measurements";
import { Observable } from "./observable";
import { SkinLines } from "./skin-lines";
import { spacingOf } from "./spacing";
import { fullWindow, type Window } from "./window";

export const NO_PROMPT: Prompt = { box: null, inside: [], outside: [], scribble: null };

/** What a person has pointed at, and the mask of the lesions outlined before. */
export interface Marks {
  prompt: Prompt;
  base: Mask | null;
}

const NO_MARKS: Marks = { prompt: NO_PROMPT, base: null };

/** What is known of a step beside its pixels. */
export interface StepInfo {
  marks?: Marks;
  origin?: Origin;
  /** With the others of its run it is one step. */
  run?: Run;
}

export class Session extends Observable {
  frame: number;
  /** Of a volume of several phases, the one that is shown; the first is before contrast. */
  phase: number;
  window: Window;
  marks: Marks = NO_MARKS;
  calipers: readonly Caliper[] = [];
  /** What stands beside a lesion in the image, by its number. */
  captions: ReadonlyMap<number, string> = new Map();
  readonly skin = new SkinLines(this, () => { this.changed(); });
  /** Seconds with the image in front, for a version's record. */
  readonly openedAt = performance.now();

  private readonly painters = new Set<(box: Box) => void>();
  /** By phase and frame. */
  private readonly frames = new Map<string, Frame>();
  private readonly loading = new Map<string, Promise<Frame>>();
  private readonly masks = new Map<number, Mask>();
  private readonly byHand = new HandSets();
  private readonly predictions = new Map<number, Prediction>();
  private history: History<Marks> = { done: [], undone: [] };
  private keptStep: History<Marks>["done"][number] | undefined = undefined;
  /** The version that was kept or opened last. */
  keptVersion: Version | null = null;
  private before: Mask | null = null;
  private predictionBefore: Prediction | undefined = undefined;
  /** Of a slider, while it asks for what becomes a step. */
  run: Run | undefined = undefined;
  /** The marks of the last step: those since then have no answer yet. */
  private answered: Marks = NO_MARKS;
  private touched: Box = EMPTY;

  constructor(
    readonly backend: Backend,
    readonly scan: Scan,
    readonly index: number,
    public image: ImageInfo = scan.images[index],
  ) {
    super();
    // The lesion is in the middle of a volume rather than on its edge, and shows after contrast.
    const volume = image.kind === "volume";
    this.frame = volume ? Math.floor(image.frames / 2) : 0;
    this.phase = volume ? Math.min(1, image.channels - 1) : 0;
    this.window = { centre: (image.low + image.high) / 2, width: Math.max(image.high - image.low, 1e-6), invert: false };
  }

  // --- pixels ---------------------------------------------------------------------------

  /** The frame if it has been loaded. */
  loaded(frame = this.frame): Frame | undefined {
    return this.frames.get(`${this.phase}/${frame}`);
  }

  async load(frame = this.frame): Promise<Frame> {
    const { phase } = this;
    const key = `${phase}/${frame}`;
    const known = this.frames.get(key);
    if (known !== undefined) return known;
    const under = this.loading.get(key) ?? this.backend.frame(this.scan, this.index, frame, phase);
    this.loading.set(key, under);
    try {
      const pixels = await under;
      if (this.frames.size === 0 && pixels.channels === 1) this.window = fullWindow(pixels.values);
      this.frames.set(key, pixels);
      this.changed();
      return pixels;
    } finally {
      this.loading.delete(key);
    }
  }

  show(frame: number): void {
    const bounded = Math.max(0, Math.min(this.image.frames - 1, frame));
    if (bounded === this.frame) return;
    this.frame = bounded;
    this.marks = NO_MARKS;
    this.answered = NO_MARKS;
    this.measurements.renew();
    this.changed();
  }

  /** Shows another phase in the same window, so that enhancement can be seen. */
  showPhase(phase: number): void {
    this.phase = phase;
    this.changed();
  }

  setWindow(window: Window): void {
    this.window = window;
    this.changed();
  }

  // --- masks ----------------------------------------------------------------------------

  mask(frame = this.frame): Mask {
    let mask = this.masks.get(frame);
    if (mask === undefined) {
      mask = emptyMask(this.image.rows, this.image.columns);
      this.masks.set(frame, mask);
    }
    return mask;
  }

  /** What a method found last on the frame that is shown; it goes back and forth with the steps. */
  get prediction(): Prediction | undefined {
    return this.predictions.get(this.frame);
  }

  get modelMask(): Mask | undefined {
    return this.prediction && modelMaskOf(this.prediction, this.image);
  }

  get threshold(): number {
    return this.prediction?.cutAt ?? 0.5;
  }

  /** Frames that have lesion pixels, in order. */
  outlinedFrames(): number[] {
    return [...this.masks].filter(([, mask]) => mask.data.includes(1)).map(([frame]) => frame).sort((a, b) => a - b);
  }

  beginEdit(): void {
    [this.before, this.predictionBefore, this.touched] = [copyOf(this.mask()), this.prediction, EMPTY];
  }

  /** Told of every painted part, before the step is complete. */
  watchPainting(told: (box: Box) => void): () => void {
    this.painters.add(told);
    return () => this.painters.delete(told);
  }

  paint(box: Box): void {
    this.touched = union(this.touched, box);
    for (const told of this.painters) told(box);
  }

  endEdit(label: string, { marks, origin, run }: StepInfo = {}): void {
    if (this.before === null) return;
    const edit = { label, image: this.frame, before: this.before, after: this.mask(), within: this.touched, origin, run };
    const pointed = marks === undefined ? undefined : { before: this.answered, after: marks };
    const prediction = this.prediction === this.predictionBefore ? undefined : { before: this.predictionBefore, after: this.prediction };
    // Another mask has no moved diameters; those of this one come back with it.
    const lines = linesOf(this);
    this.measurements.renew();
    const moved = lines.moved.size === 0 ? undefined : { before: lines, after: linesOf(this) };
    this.history = recorded(this.history, { ...edit, marks: pointed, lines: moved, prediction });
    if (marks !== undefined) [this.marks, this.answered] = [marks, marks];
    this.before = null;
    this.maskChanged();
  }

  /** Puts back the pixels at the beginning of the step, which goes on. */
  restoreEdit(): void {
    if (this.before === null) return;
    this.mask().data.set(this.before.data);
    this.paint(this.touched);
  }

  cancelEdit(): void {
    if (this.before === null) return;
    this.mask().data.set(this.before.data);
    this.setPrediction(this.predictionBefore);
    this.before = null;
    this.maskChanged();
  }

  /** Lines that were laid or moved are a step of their own. */
  recordLines(label: string, lines: { before: Lines; after: Lines }): void {
    const mask = this.mask();
    this.history = recorded(this.history, { label, image: this.frame, before: mask, after: mask, within: EMPTY, lines });
    this.changed();
  }

  replace(label: string, mask: Mask, about: StepInfo = {}): void {
    this.beginEdit();
    this.preview(mask);
    this.endEdit(label, about);
  }

  /** Puts another mask in the place of all that was drawn and pointed at. */
  replaceWhole(label: string, mask: Mask, by: readonly string[], resultId: string | null = null): void {
    this.replace(label, mask, { marks: NO_MARKS, origin: { by, adds: false, resultId } });
  }

  /** Whose work the mask is. */
  get authors(): Authors {
    return authorsOf(this.history, this.frame);
  }

  /** Pixels of a frame that a hand has set, which answers to clicks leave as they are; 1 where so. */
  handSet(frame = this.frame): { set: Uint8Array; count: number } {
    return this.byHand.of(this.history, frame, this.mask(frame));
  }

  /**
   * The probability at the threshold, beside the lesions that stay, with what a hand has drawn or erased.
   *
   * Where a new click or stroke says otherwise of a pixel, what hangs together with it by hand gives way.
   */
  answer(): Mask {
    const mask = cutOf(this.prediction, this.image);
    this.marks.base?.data.forEach((value, index) => { mask.data[index] |= value; });
    const shown = this.before ?? this.mask();
    const kept = keptByHand(shown, this.handSet().set, newlyMarked(this.answered.prompt, this.marks.prompt, shown));
    kept.forEach((value, index) => {
      if (value === 1) mask.data[index] = shown.data[index];
    });
    return mask;
  }

  /** Puts the answer to what a person points at beside the lesions that stay. */
  addPrediction(label: string, outcome: Outcome, run?: Run): void {
    const adds = this.marks.base !== null || this.handSet().count > 0;
    this.beginEdit();
    this.predictions.set(this.frame, predictionOn(outcome, this.frame));
    this.preview(this.answer());
    this.endEdit(label, { marks: this.marks, origin: { by: [namedWithVersion(outcome)], adds, resultId: outcome.id }, run });
  }

  /** Shows a mask without ending the step, as while a slider is dragged. */
  preview(mask: Mask): void {
    this.mask().data.set(mask.data);
    this.paint({ row0: 0, column0: 0, row1: mask.rows, column1: mask.columns });
  }

  get editing(): boolean {
    return this.before !== null;
  }

  /** Sets what a person has pointed at, before the answer is there. */
  setMarks(marks: Marks): void {
    this.marks = marks;
    this.changed();
  }

  /** Starts another lesion: the mask so far stays, and what is pointed at next adds to it. */
  startLesion(): void {
    this.marks = { prompt: NO_PROMPT, base: copyOf(this.mask()) };
    this.answered = this.marks;
    this.changed();
  }

  /** Forgets what was pointed at and got no answer. */
  forgetUnanswered(): void {
    this.setMarks(this.answered);
  }

  /** Puts what a method found in the place of all that was drawn and pointed at; each frame is a step. */
  replaceAll(label: string, outcome: Outcome, run?: Run): void {
    const shown = this.frame;
    const sizes: [frame: number, pixels: number][] = [];
    for (const frame of outcome.probability.keys()) {
      this.frame = frame;
      this.beginEdit();
      this.predictions.set(frame, predictionOn(outcome, frame));
      this.preview(cutOf(this.prediction, this.image));
      this.endEdit(label, { marks: NO_MARKS, origin: { by: [namedWithVersion(outcome)], adds: false, resultId: outcome.id }, run });
      sizes.push([frame, countOf(this.mask())]);
    }
    // Where nothing is outlined on the frame that is shown, the one of several with the largest lesion is of more use.
    const [largest, size] = sizes.reduce((best, one) => (one[1] > best[1] ? one : best), [shown, 0]);
    this.frame = sizes.length > 1 && size > 0 && countOf(this.mask(shown)) === 0 ? largest : shown;
    this.maskChanged();
  }

  /** Of all outlined slices of a volume: voxels, and mm³ where the spacing is known. */
  get volume(): { voxels: number; cubicMm: number | null } {
    const voxels = [...this.masks.values()].reduce((sum, mask) => sum + countOf(mask), 0);
    const { spacingMm, sliceMm } = this.image;
    return { voxels, cubicMm: spacingMm === null || sliceMm === null ? null : voxels * spacingMm[0] * spacingMm[1] * sliceMm };
  }

  // --- what is kept ---------------------------------------------------------------------

  /** Whether something was drawn or outlined since the last version was kept or opened. */
  get isUnkept(): boolean {
    return this.lastStep !== this.keptStep;
  }

  /** @param version the one that holds the mask; null where it is kept elsewhere, as with a project. */
  markKept(version: Version | null = null): void {
    this.keptStep = this.lastStep;
    this.keptVersion = version;
  }

  // --- history --------------------------------------------------------------------------

  /** The last one of the mask. */
  get lastStep(): History<Marks>["done"][number] | undefined {
    return lastOfMask(this.history);
  }

  get undoLabel(): string | undefined {
    return this.history.done.at(-1)?.label;
  }

  get redoLabel(): string | undefined {
    return this.history.undone.at(-1)?.label;
  }

  undo(): void {
    this.step(undone(this.history, (frame) => this.mask(frame)), "before");
  }

  redo(): void {
    this.step(redone(this.history, (frame) => this.mask(frame)), "after");
  }

  private step(taken: ReturnType<typeof undone<Marks>>, which: "before" | "after"): void {
    if (taken === null) return;
    this.history = taken.history;
    this.frame = taken.step.image;
    const marks = taken.step.marks?.[which] ?? this.answered;
    [this.marks, this.answered] = [marks, marks];
    if (taken.step.prediction !== undefined) this.setPrediction(taken.step.prediction[which]);
    this.maskChanged();
    if (taken.step.lines !== undefined) putLines(this, taken.step.lines[which]);
  }

  // --- results --------------------------------------------------------------------------

  private setPrediction(prediction: Prediction | undefined): void {
    if (prediction === undefined) this.predictions.delete(this.frame);
    else this.predictions.set(this.frame, prediction);
  }

  get margin(): Margin | null {
    return this.prediction === undefined ? null : marginOf(this.prediction, this.authors);
  }

  /** Cuts at another threshold than the method's; a step that is under way ends with it. */
  setThreshold(cutAt: number): void {
    if (this.prediction !== undefined) this.setPrediction({ ...this.prediction, cutAt });
    this.changed();
  }

  // --- measurements ---------------------------------------------------------------------

  get lesions(): readonly Measured[] {
    return this.measurements.lesions;
  }

  readonly spacingAt: SpacingAt = (region) => spacingOf(this.image, region);

  readonly measurements = new Measurements(() => this.mask(), this.spacingAt, () => { this.changed(); });

  setSpacing(image: ImageInfo): void {
    this.image = image;
    this.maskChanged();
  }

  setCaptions(captions: ReadonlyMap<number, string>): void {
    this.captions = captions;
    this.changed();
  }

  setCalipers(calipers: readonly Caliper[]): void {
    this.calipers = calipers;
    this.changed();
  }

  private maskChanged(): void {
    this.measurements.renew();
    this.changed();
  }
}
