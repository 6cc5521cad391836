import { readFile } from "node:fs/promises";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fitted, toScreen } from "../src/state/viewport";
import { example, launched, measured, opened, outline, placeIn, settled, shot, tab, throughRemarks, viewer } from "./browser";

type Place = { x: number; y: number };

let browser: Browser;
beforeAll(async () => { browser = await launched(); });
afterAll(async () => { await browser.close(); });

async function saved(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: button }).click()]);
  return readFile(await download.path(), "utf8");
}

/** Drags a slider from one share of its width to another. */
async function draggedOver(page: Page, slider: Locator, from: number, to: number): Promise<void> {
  const box = await slider.boundingBox();
  if (box === null) throw new Error("the slider is not shown");
  const [y, at] = [box.y + box.height / 2, (share: number): number => box.x + share * box.width];
  await page.mouse.move(at(from), y);
  await page.mouse.down();
  await page.mouse.move(at(to), y, { steps: 6 });
  await page.mouse.up();
}

/** The page is left and opened again; the version is still there. */
async function reopened(page: Page): Promise<void> {
  await page.reload();
  await page.getByRole("button", { name: /phantom-0001/ }).click();
  await tab(page, "Versions");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await settled(page);
  await tab(page, "Measure");
  expect(await page.getByRole("region", { name: "Lesion 2" }).count()).toBe(1);
}

it("opens, outlines, corrects, measures, keeps and reports", async () => {
  const { page, faults } = await opened(browser);
  await page.getByRole("button", { name: "Ultrasound still as PNG" }).waitFor();
  await shot(page, "open");
  await example(page, "Ultrasound still as PNG");
  await outline(page);
  await shot(page, "outline");
  const diameter = await measured(page, "Longest diameter");
  expect(diameter).toBeGreaterThan(5);
  await shot(page, "measure");

  // The threshold acts at once.
  await tab(page, "Outline");
  const area = await measured(page, "Area");
  await tab(page, "Outline");
  const threshold = page.getByRole("slider", { name: "Threshold" });
  await threshold.focus();
  const operating = await threshold.inputValue();
  for (let step = 0; step < 30; step += 1) await page.keyboard.press("ArrowRight");
  expect(await measured(page, "Area")).toBeLessThan(area);
  // All its presses are one step, and so is a drag.
  await page.getByRole("button", { name: "Undo" }).click();
  expect(await measured(page, "Area")).toBe(area);
  await tab(page, "Outline");
  expect(await threshold.inputValue()).toBe(operating);
  await draggedOver(page, threshold, 0.5, 0.9);
  expect(await measured(page, "Area")).toBeLessThan(area);
  await page.keyboard.press("Control+z");
  expect(await measured(page, "Area")).toBe(area);

  // The brush adds, the eraser takes away; both are undone and done again.
  const before = await measured(page, "Area");
  await page.getByRole("button", { name: "Brush", exact: true }).click();
  const from = await placeIn(page, 0.7, 0.75);
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + 60, from.y + 10, { steps: 8 });
  await page.mouse.up();
  await expect.poll(() => page.getByRole("region", { name: "Lesion 2" }).count()).toBe(1);
  await shot(page, "correct");
  await page.keyboard.press("Control+z");
  expect(await page.getByRole("region", { name: "Lesion 2" }).count()).toBe(0);
  expect(await measured(page, "Area")).toBe(before);
  await page.keyboard.press("Control+y");
  expect(await page.getByRole("region", { name: "Lesion 2" }).count()).toBe(1);

  // A version is kept with who and when, and opened again after the page was left.
  await tab(page, "Versions");
  await page.getByLabel("Note").fill("with a second lesion");
  await page.getByRole("button", { name: "Keep this version" }).click();
  await page.getByText("with a second lesion").waitFor();
  await shot(page, "versions");

  await tab(page, "Report");
  expect(await page.getByLabel("Sentence to paste").inputValue()).toMatch(/2 lesions.* mm .*corrected by hand.*Research use only/);
  const coco = JSON.parse(await saved(page, "Contours (COCO JSON)")) as { annotations: unknown[] };
  expect(coco.annotations).toHaveLength(2);
  expect(await saved(page, "Measurements (CSV)")).toContain("Research use only");
  expect(await saved(page, "Report (HTML)")).toContain("data:image/png");
  expect((await saved(page, "Report (PDF)")).slice(0, 5)).toBe("%PDF-");
  // What cannot be made of a PNG is not offered, and why.
  expect(await page.getByRole("button", { name: "DICOM SEG" }).isDisabled()).toBe(true);
  await page.getByText("DICOM SEG and SR need an image that came as DICOM.").waitFor();
  await shot(page, "report");

  await reopened(page);
  expect(faults).toEqual([]);
  await page.context().close();
});

it("answers clicks, boxes and corrective clicks, and several lesions", async () => {
  const { page, faults } = await opened(browser);
  await example(page, "Ultrasound still as PNG");
  const lesion = await placeIn(page, 0.43, 0.37);
  await page.mouse.click(lesion.x, lesion.y);
  await throughRemarks(page);
  await settled(page);
  const clicked = await measured(page, "Area");
  expect(clicked).toBeGreaterThan(10);
  await shot(page, "click");
  // The file states no modality: the chosen bundle says what is looked at, and its network answers.
  await tab(page, "Report");
  expect(await page.getByLabel("Sentence to paste").inputValue()).toContain("outlined by ultrasound-prompt");

  await page.keyboard.press("n");
  await page.keyboard.press("b");
  const corner = await placeIn(page, 0.75, 0.55);
  await page.mouse.move(corner.x, corner.y);
  await page.mouse.down();
  await page.mouse.move(corner.x + 90, corner.y + 60, { steps: 4 });
  await page.mouse.up();
  await settled(page);
  await tab(page, "Measure");
  expect(await page.getByRole("region", { name: /Lesion/ }).count()).toBeGreaterThan(1);
  await page.keyboard.press("Control+z");
  expect(await measured(page, "Area")).toBe(clicked);
  expect(faults).toEqual([]);
  await page.context().close();
});

/** Where the longest diameter of the newest result lies on the page, and how long it is there. */
async function longestOn(page: Page): Promise<{ from: Place; to: Place }> {
  const [[rows, columns], ends] = await page.evaluate(async () => {
    const asked = async <T>(path: string): Promise<T> => (await (await fetch(`/api${path}`)).json()) as T;
    const [scan] = await asked<{ id: string; images: { shape: [number, number] }[] }[]>("/scans");
    const [one] = await asked<{ document: { entries: { lesions: { longest_diameter_ends: [number, number][] }[] }[] } }[]>(`/scans/${scan.id}/segmentations`);
    return [scan.images[0].shape, one.document.entries[0].lesions[0].longest_diameter_ends] as const;
  });
  const box = await viewer(page).boundingBox();
  if (box === null) throw new Error("the viewer is not shown");
  const viewport = fitted(rows, columns, box);
  const [from, to] = ends.map(([row, column]) => toScreen(viewport, { row, column })).map(({ x, y }) => ({ x: x + box.x, y: y + box.y }));
  return { from, to };
}

it("answers a classical method's slider at once, and takes a dragged diameter back", async () => {
  const { page, faults } = await opened(browser);
  await example(page, "Ultrasound still as PNG");
  await page.getByRole("combobox", { name: "Method" }).selectOption("otsu");
  await outline(page);
  // Of a method whose probability is 0 or 1 a threshold would move nothing.
  expect(await page.getByRole("slider", { name: "Threshold" }).count()).toBe(0);
  expect(await page.getByRole("combobox", { name: /^Lesion/ }).count()).toBe(1);
  const { from, to } = await longestOn(page);
  const area = await measured(page, "Area");
  await tab(page, "Outline");
  const shift = page.getByRole("slider", { name: "shift" });
  const first = await shift.inputValue();
  await shift.focus();
  for (let step = 0; step < 5; step += 1) await page.keyboard.press("PageUp");
  await settled(page);
  expect(await measured(page, "Area")).toBeGreaterThan(1.05 * area);
  await page.keyboard.press("Control+z");
  expect(await measured(page, "Area")).toBe(area);
  await tab(page, "Outline");
  // The slider goes back with its mask: another outline would be this one.
  expect(await shift.inputValue()).toBe(first);
  await draggedOver(page, shift, 0.5, 0.9);
  await settled(page);
  expect(await measured(page, "Area")).toBeGreaterThan(area);
  await page.keyboard.press("Control+z");
  expect(await measured(page, "Area")).toBe(area);

  const length = await measured(page, "Longest diameter");
  await page.keyboard.press("c");
  await page.mouse.move(to.x, to.y);
  await page.mouse.down();
  await page.mouse.move(to.x + 0.2 * (to.x - from.x), to.y + 0.2 * (to.y - from.y), { steps: 5 });
  await page.mouse.up();
  await page.getByText(/moved by hand/).waitFor();
  expect((await measured(page, "Longest diameter")) / length).toBeCloseTo(1.2, 1);
  await page.keyboard.press("Control+z");
  expect(await measured(page, "Longest diameter")).toBe(length);
  expect(await measured(page, "Area")).toBe(area);
  await page.keyboard.press("Control+y");
  await page.getByText(/moved by hand/).waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

it("sets the spacing by two clicks on a ruler", async () => {
  const { page, faults } = await opened(browser);
  const picture = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(200, 160);
    const context = canvas.getContext("2d");
    if (context === null) return [];
    context.fillStyle = "#888";
    context.fillRect(0, 0, 200, 160);
    context.fillStyle = "#222";
    context.arc(100, 80, 30, 0, 7);
    context.fill();
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer())];
  });
  await page.getByTestId("files").setInputFiles({ name: "no-spacing.png", mimeType: "image/png", buffer: Buffer.from(picture) });
  await viewer(page).waitFor();
  await tab(page, "Measure");
  await page.getByRole("button", { name: "Set it by two clicks on the ruler" }).click();
  const [a, b] = [await placeIn(page, 0.3, 0.9), await placeIn(page, 0.7, 0.9)];
  await page.mouse.click(a.x, a.y);
  await page.mouse.click(b.x, b.y);
  await page.getByRole("dialog").getByLabel("Length in mm").fill("20");
  await shot(page, "ruler");
  await page.getByRole("button", { name: "Set the spacing" }).click();
  await page.getByText(/from the ruler/).waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});
