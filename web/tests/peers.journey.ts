import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { example, launched, opened, outline, placeIn, settled, tab, viewer, violations } from "./browser";
import { started, startedPeers, type Peers, type Service } from "./service";

let browser: Browser;
let peers: Peers;
beforeAll(async () => { [browser, peers] = await Promise.all([launched(), startedPeers()]); });
afterAll(async () => { await Promise.all([browser.close(), peers.stop()]); });

/** Presses Tab until the element with this name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press("Tab");
    const text = await page.evaluate(() => document.activeElement?.textContent ?? "");
    if (name.test(text)) return;
  }
  throw new Error(`Tab does not reach ${String(name)}`);
}

it("takes a study from an archive by keyboard alone, and makes SEG and SR of it", async ({ skip }) => {
  if (peers.archive === null) skip("Orthanc is not installed");
  const service = await started(() => `[dicomweb]\nurl = "${peers.archive ?? ""}"\n`);
  const { page, faults } = await opened(browser, {}, service.address);
  const dialog = page.getByRole("dialog", { name: "Open from the archive" });
  await page.getByRole("button", { name: "From the archive" }).focus();
  await page.keyboard.press("Enter");
  await dialog.waitFor();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.type("nobody");
  await page.keyboard.press("Enter");
  await dialog.getByText("No study was found").waitFor();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("PH0001");
  await page.keyboard.press("Enter");
  await dialog.getByText("Phantom, Number 1").waitFor();
  await tabTo(page, /Show its series/);
  await page.keyboard.press("Enter");
  await dialog.getByText("Series 1").waitFor();
  expect(await violations(page)).toEqual([]);
  await tabTo(page, /^Open$/);
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await viewer(page).waitFor();
  await settled(page);
  await outline(page);
  await tab(page, "Report");
  for (const [name, file] of [["DICOM SEG", "US L, series 1, image 1-seg.dcm"], ["DICOM SR", "US L, series 1, image 1-sr.dcm"]]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
    expect(download.suggestedFilename()).toBe(file);
    expect((await readFile(await download.path())).subarray(128, 132).toString()).toBe("DICM");
  }
  expect(faults).toEqual([]);
  await page.context().close();
  await service.stop();
});

it("logs in at an identity provider, and says why where it does not", async () => {
  const service: Service = await started((address) => `[oidc]\nissuer = "${peers.provider}"\nclient_id = "breastseg"\npublic_url = "${address}"\n[oidc.roles]\nimaging = "annotator"\n`);
  const { page } = await opened(browser, {}, service.address);
  const atProvider = async (answer: string): Promise<void> => {
    await page.getByRole("link", { name: "Log in with the identity provider" }).click();
    await page.getByRole("link", { name: answer, exact: true }).click();
  };
  for (const [answer, words] of [["I am nobody", /did not grant \(access_denied\)/], ["I am Eva, with another state", /login of another browser/]] as const) {
    await atProvider(answer);
    await page.getByText(words).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("link", { name: "Go to the app" }).click();
  }
  await atProvider("I am Eva");
  await page.getByRole("button", { name: "Open files" }).waitFor();
  // The session ends in the middle of a correction: the login in another tab loses nothing of it.
  await example(page, /as PNG/);
  await page.getByRole("button", { name: "Brush", exact: true }).click();
  const place = await placeIn(page, 0.5, 0.5);
  await page.mouse.click(place.x, place.y);
  await page.context().clearCookies();
  await tab(page, "Versions");
  await page.getByRole("button", { name: "Keep this version" }).click();
  await page.getByText("What you have drawn is still here").waitFor();
  expect(await violations(page)).toEqual([]);
  const [other] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("link", { name: "Log in with the identity provider" }).click()]);
  await other.getByRole("link", { name: "I am Eva", exact: true }).click();
  await other.getByRole("button", { name: "Open files" }).waitFor();
  await other.close();
  await page.evaluate(() => { window.dispatchEvent(new Event("focus")); });
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Keep this version" }).click();
  await page.getByText(/Version 1.* by eva/).waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("dialog", { name: "Log in" }).waitFor();
  expect(await page.evaluate(async () => (await fetch("/api/scans")).status)).toBe(401);
  await page.context().close();
  await service.stop();
});
