import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { example, launched, opened, outline, placeIn, settled, shot, tab, throughRemarks, viewer } from "./browser";

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
  await page.keyboard.press("h");
  await tab(page, "Show");
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
  await page.getByRole("img", { name: /Plane along row/ }).click();
  await page.getByLabel("Slice", { exact: true }).waitFor();
  await shot(page, "volume");
  expect(faults).toEqual([]);
  await page.context().close();
});

it("shows two scans side by side and their growth", async () => {
  const { page, faults } = await opened(browser);
  await example(page, "Ultrasound still as DICOM");
  await page.getByRole("button", { name: "Brush", exact: true }).click();
  const middle = await placeIn(page, 0.5, 0.5);
  await page.mouse.click(middle.x, middle.y);
  await example(page, "Ultrasound still as PNG");
  await outline(page);
  await tab(page, "Compare");
  await page.getByLabel("Beside this image").selectOption({ index: 1 });
  await page.getByRole("table", { name: /Growth/ }).waitFor();
  await shot(page, "compare");
  expect(faults).toEqual([]);
  await page.context().close();
});
