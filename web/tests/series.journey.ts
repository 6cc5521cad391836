import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { example, launched, opened, outline, placeIn, settled, shot, tab, throughRemarks, viewer, violations } from "./browser";

let browser: Browser;
beforeAll(async () => { browser = await launched(); });
afterAll(async () => { await browser.close(); });

it("plays a cine loop with its outline", async () => {
  const { page, faults } = await opened(browser);
  await example(page, "Ultrasound cine loop as DICOM");
  await page.getByLabel("Method").selectOption("ultrasound-fast");
  await page.getByRole("button", { name: "Outline all frames" }).click();
  await throughRemarks(page);
  await page.getByRole("slider", { name: "Threshold" }).waitFor();
  await settled(page);
  const frame = page.getByLabel("Frame", { exact: true });
  const first = await frame.inputValue();
  await page.keyboard.press("k");
  await expect.poll(() => frame.inputValue()).not.toBe(first);
  await page.keyboard.press("k");
  await frame.fill("3"); // the second frame of the loop shows no lesion
  await settled(page);
  await page.keyboard.press("h"); // the slider has the focus, and takes no letters
  await tab(page, "Show");
  expect(await page.getByLabel("Probability as a heat map").isChecked()).toBe(true);
  await shot(page, "cine");
  expect(faults).toEqual([]);
  await page.context().close();
});

it("goes through a volume and shows its other planes", async () => {
  const { page, faults } = await opened(browser);
  await example(page, "MRI of two phases as DICOM");
  await viewer(page).waitFor();
  await outline(page);
  await tab(page, "Planes");
  await page.getByText("Slice 14 at the top, slice 1 at the bottom").first().waitFor();
  const plane = page.getByRole("img", { name: /Plane along row/ });
  const size = await plane.boundingBox();
  await plane.click({ position: { x: 0.5 * (size?.width ?? 0), y: 0.3 * (size?.height ?? 0) } });
  await page.getByLabel("Slice", { exact: true }).waitFor();
  // The phase after contrast is shown first; the other one has other pixels.
  const shown = await viewer(page).screenshot();
  await page.getByLabel("Phase", { exact: true }).selectOption("0");
  await page.getByText(/phase 1 of 2/).first().waitFor();
  await expect.poll(async () => (await viewer(page).screenshot()).equals(shown)).toBe(false);
  await page.getByLabel("Phase", { exact: true }).selectOption("1");
  await shot(page, "volume");
  expect(faults).toEqual([]);
  await page.context().close();
});

/** A dark disc on grey, as a PNG. */
async function disc(page: Page, radius: number): Promise<Buffer> {
  const bytes = await page.evaluate(async (size) => {
    const canvas = new OffscreenCanvas(220, 180);
    const context = canvas.getContext("2d");
    if (context === null) return [];
    context.fillStyle = "#999";
    context.fillRect(0, 0, 220, 180);
    context.fillStyle = "#222";
    context.arc(110, 90, size, 0, 7);
    context.fill();
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer())];
  }, radius);
  return Buffer.from(bytes);
}

it("shows two studies of a phantom side by side, with the growth that is known", async () => {
  const { page, faults } = await opened(browser);
  for (const [name, radius] of [["prior.png", 30], ["now.png", 36]] as const) {
    await page.getByTestId("files").setInputFiles({ name, mimeType: "image/png", buffer: await disc(page, radius) });
    await viewer(page).waitFor();
    await page.getByRole("button", { name: new RegExp(name) }).waitFor();
    await settled(page);
    await page.evaluate(async (wanted) => {
      const scans = (await (await fetch("/api/scans")).json()) as { id: string; name: string }[];
      const id = scans.find((scan) => scan.name === wanted)?.id ?? "";
      await fetch(`/api/scans/${id}/images/0/spacing`, { method: "PUT", body: JSON.stringify({ spacing_mm: [0.2, 0.2] }), headers: { "Content-Type": "application/json" } });
    }, name);
  }
  await page.reload();
  for (const name of ["prior.png", "now.png"]) {
    await page.getByRole("button", { name: new RegExp(name) }).click();
    await viewer(page).waitFor();
    const middle = await placeIn(page, 0.5, 0.5);
    await page.mouse.click(middle.x, middle.y);
    await throughRemarks(page);
    await settled(page);
  }
  await tab(page, "Compare");
  await page.getByLabel("Beside this image").selectOption({ label: "prior.png (220 x 180)" });
  // Pictures state no patient.
  await page.getByText(/of one patient is not known here/).waitFor();
  const grown = page.getByRole("region", { name: "Growth of lesion 1" }).locator("div", { hasText: "Growth" }).locator("dd");
  const [millimetres, percent] = (await grown.innerText()).match(/[\d.]+/g)?.map(Number) ?? [];
  // From a diameter of 12.0 to 14.4 mm, within a pixel on either side.
  expect(Math.abs(millimetres - 2.4)).toBeLessThan(0.5);
  expect(Math.abs(percent - 20)).toBeLessThan(5);
  expect(await violations(page)).toEqual([]);
  await shot(page, "compare");
  expect(faults).toEqual([]);
  await page.context().close();
});
