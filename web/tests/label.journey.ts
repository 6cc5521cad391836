import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { example, launched, opened, placeIn, settled, shot, tab, violations } from "./browser";

let browser: Browser;
beforeAll(async () => { browser = await launched(); });
afterAll(async () => { await browser.close(); });

it("labels the images of a project: accepts one as proposed, corrects another", async () => {
  const { page, faults } = await opened(browser);
  await example(page, "Ultrasound still as PNG");
  await page.getByText("Label a data set").click();
  await page.getByLabel("Name").fill("phantoms");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText(/0 images/).waitFor();
  const add = page.getByRole("button", { name: "Add the open scan" });
  await add.click();
  await page.getByText(/1 images, 1 open/).waitFor();
  await example(page, "Ultrasound still as DICOM");
  await add.click();
  await page.getByText(/2 images, 2 open/).waitFor();

  await page.getByRole("button", { name: "Next image" }).click();
  await settled(page);
  await shot(page, "label");
  await page.getByRole("button", { name: "Accept" }).click();
  await page.getByText(/1 open, 1 labelled/).waitFor();
  await settled(page);

  // A changed mask is no proposed one: it can only be kept as a correction.
  await page.getByRole("button", { name: "Brush", exact: true }).click();
  const place = await placeIn(page, 0.9, 0.9);
  await page.mouse.click(place.x, place.y);
  await page.getByRole("button", { name: "Accept" }).click();
  await page.getByRole("alert").getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Keep my correction" }).click();
  await page.getByText("Nothing is left for you to read.").waitFor();
  await page.getByText(/0 open, 2 labelled/).waitFor();

  // What it took, and the mask that the readers give together.
  await page.getByRole("button", { name: "Agreement and effort" }).click();
  await page.getByRole("table", { name: "What labelling took" }).getByRole("row", { name: /local 2 1 1/ }).waitFor();
  expect(await violations(page)).toEqual([]);
  await shot(page, "project");
  await page.getByRole("button", { name: /Look at the consensus of phantom/ }).click();
  await settled(page);
  await tab(page, "Report");
  expect(await page.getByLabel("Sentence to paste").inputValue()).toContain("the consensus of local");
  expect(faults).toEqual([]);
  await page.context().close();
});
