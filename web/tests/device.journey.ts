import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launched, measured, opened, outline, placeIn, settled, shot, tab, viewer } from "./browser";
import { started, type Service } from "./service";

let browser: Browser;
let service: Service;
beforeAll(async () => {
  [browser, service] = await Promise.all([launched(), started()]);
});
afterAll(async () => {
  await browser.close();
  await service.stop();
});

/** A phantom as the service generates it. */
async function phantom(address: string): Promise<Buffer> {
  const scan = (await (await fetch(`${address}/api/examples/ultrasound`, { method: "POST" })).json()) as { id: string };
  return Buffer.from(await (await fetch(`${address}/api/scans/${scan.id}/images/0/display.png`)).arrayBuffer());
}

async function openedHere(page: Page, buffer: Buffer): Promise<void> {
  await page.getByTestId("files").setInputFiles({ name: "here.png", mimeType: "image/png", buffer });
  await settled(page);
  await viewer(page).waitFor();
}

it("segments on the device, also with the service stopped, and uploads nothing", async () => {
  const picture = await phantom(service.address);
  const { page, faults } = await opened(browser, {}, service.address);
  const sent: string[] = [];
  page.on("request", (request) => { if (request.method() !== "GET") sent.push(request.url()); });
  await page.evaluate(() => navigator.serviceWorker.ready);
  // The first visit is not seen by the worker that keeps the app; the second one is.
  await page.reload();
  await page.getByRole("switch", { name: "On this device" }).check();
  await settled(page);
  await openedHere(page, picture);
  await outline(page);
  const area = await measured(page, "Area");
  expect(area).toBeGreaterThan(1000);
  await shot(page, "device");
  // A click is answered here too, by the network that takes one.
  const lesion = await placeIn(page, 0.43, 0.37);
  await page.mouse.click(lesion.x, lesion.y);
  await settled(page);
  await tab(page, "Report");
  expect(await page.getByLabel("Sentence to paste").inputValue()).toMatch(/^1 lesion: .*outlined by ultrasound-prompt/);
  expect(faults).toEqual([]);

  // What cannot be read here is refused, and goes to the service only when a person says so.
  await page.getByTestId("files").setInputFiles({ name: "volume.nrrd", mimeType: "", buffer: Buffer.from("NRRD0004\n") });
  await page.getByRole("alert").getByText("is an NRRD volume").waitFor();
  await page.getByRole("button", { name: "Upload to the service instead" }).waitFor();
  await page.getByRole("alert").getByRole("button", { name: "Close" }).click();

  await service.stop();
  await page.reload();
  await page.getByRole("switch", { name: "On this device", checked: true }).waitFor();
  await openedHere(page, picture);
  await outline(page);
  expect(await measured(page, "Area")).toBe(area);
  expect(sent).toEqual([]);
  await page.context().close();
});
