import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { example, launched, opened, outline, placeIn, settled, shot, tab, violations, type Watched } from "./browser";
import { started, type Service } from "./service";

const ADMIN = { name: "admin", role: "admin", password: "correct horse battery" };

let browser: Browser;
let service: Service;
beforeAll(async () => {
  [browser, service] = await Promise.all([launched(), started()]);
  const made = await fetch(`${service.address}/api/accounts`, { method: "POST", body: JSON.stringify(ADMIN), headers: { "Content-Type": "application/json" } });
  expect(made.status).toBe(201);
});
afterAll(async () => {
  await browser.close();
  await service.stop();
});

it("offers a reader what a reader may do", async () => {
  const { page } = await opened(browser, {}, service.address);
  const reader = { name: "rob", role: "reader", password: ADMIN.password };
  const statuses = await page.evaluate(async ([admin, account]) => {
    const headers = { "Content-Type": "application/json" };
    const login = await fetch("/api/session", { method: "POST", body: JSON.stringify(admin), headers });
    const made = await fetch("/api/accounts", { method: "POST", body: JSON.stringify(account), headers });
    return [login.status, made.status];
  }, [{ name: ADMIN.name, password: ADMIN.password }, reader]);
  expect(statuses[1]).toBe(201);
  await page.context().clearCookies();
  await page.reload();
  await page.getByLabel("Account").fill(reader.name);
  await page.getByLabel("Password").fill(reader.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText(/This account is a reader's/).waitFor();
  for (const name of ["Open files", "Label a data set", /as PNG/]) expect(await page.getByText(name).count()).toBe(0);
  await page.context().close();
});

it("asks who you are, and forgets it when you log out", async () => {
  const { page } = await opened(browser, {}, service.address);
  const dialog = page.getByRole("dialog", { name: "Log in" });
  await dialog.getByLabel("Account").fill(ADMIN.name);
  await dialog.getByLabel("Password").fill("wrong horse");
  await dialog.getByRole("button", { name: "Log in" }).click();
  await dialog.getByRole("alert").waitFor();
  expect(await violations(page)).toEqual([]);
  await dialog.getByLabel("Password").fill(ADMIN.password);
  await dialog.getByRole("button", { name: "Log in" }).click();
  await example(page, /as PNG/);

  // The session ends in the middle of a correction: nothing of it is lost.
  await outline(page);
  await page.getByRole("button", { name: "Brush", exact: true }).click();
  const place = await placeIn(page, 0.9, 0.9);
  await page.mouse.click(place.x, place.y);
  await page.context().clearCookies();
  await tab(page, "Versions");
  await page.getByRole("button", { name: "Keep this version" }).click();
  await dialog.getByText("What you have drawn is still here").waitFor();
  expect(await violations(page)).toEqual([]);
  await dialog.getByLabel("Password").fill(ADMIN.password);
  await dialog.getByRole("button", { name: "Log in" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Keep this version" }).click();
  await page.getByText(/Version 1.* by admin/).waitFor();
  await tab(page, "Measure");
  expect(await page.getByRole("region", { name: /Lesion \d/ }).count()).toBe(2);
  await page.getByRole("button", { name: "Log out" }).click();
  await dialog.waitFor();
  expect(await page.evaluate(async () => (await fetch("/api/scans")).status)).toBe(401);
  await page.context().close();
});

async function loggedIn(name: string): Promise<Watched> {
  const watched = await opened(browser, {}, service.address);
  const { page } = watched;
  await page.getByLabel("Account").fill(name);
  await page.getByLabel("Password").fill(ADMIN.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out" }).waitFor();
  watched.faults.length = 0; // before the login the service answers 401
  return watched;
}

/** A person sits down to read the images of the project; the first one opens. */
async function reading(name: string): Promise<Watched> {
  const watched = await loggedIn(name);
  const { page } = watched;
  await page.getByText("Label a data set").click();
  await page.getByRole("combobox", { name: "Project" }).selectOption("two readers");
  await page.getByRole("button", { name: "Next image" }).click();
  await settled(page);
  await page.getByRole("group", { name: "Decision" }).waitFor();
  return watched;
}

/** Paints a spot, and keeps the mask with it. */
async function corrected(page: Page, right: number, down: number): Promise<void> {
  await page.getByRole("button", { name: "Brush", exact: true }).click();
  const place = await placeIn(page, right, down);
  await page.mouse.click(place.x, place.y);
  await page.getByRole("button", { name: "Keep my correction" }).click();
}

async function lesions(page: Page): Promise<number> {
  await tab(page, "Measure");
  return page.getByRole("region", { name: /^Lesion \d/ }).count();
}

it("lets two people read the same images without seeing each other's masks, and shows how far they agree", async () => {
  const { page: admin, faults } = await loggedIn(ADMIN.name);
  const statuses = await admin.evaluate(async (accounts) => {
    const sent = accounts.map((account) => fetch("/api/accounts", { method: "POST", body: JSON.stringify(account), headers: { "Content-Type": "application/json" } }));
    return (await Promise.all(sent)).map(({ status }) => status);
  }, ["anna", "ben"].map((name) => ({ name, role: "annotator", password: ADMIN.password })));
  expect(statuses).toEqual([201, 201]);
  await example(admin, "Ultrasound still as PNG");
  await example(admin, "Ultrasound still as DICOM");
  await admin.getByText("Label a data set").click();
  await admin.getByLabel("Name").fill("two readers");
  await admin.getByLabel("Readers an image").fill("2");
  await admin.getByRole("button", { name: "Make it" }).click();
  await admin.getByRole("button", { name: "Add the open scan" }).click();
  await admin.getByText(/1 image, 1 open/).waitFor();
  await admin.locator(".scans").getByRole("button", { name: /phantom-0001.png/ }).first().click();
  await admin.getByRole("button", { name: "Add the open scan" }).click();
  await admin.getByText(/2 images, 2 open/).waitFor();

  // The first reader corrects one image, and hands the other on.
  const { page: anna, faults: annas } = await reading("anna");
  expect(await lesions(anna)).toBe(1);
  await corrected(anna, 0.9, 0.9);
  await anna.getByText(/1 of 2 read by you/).waitFor();
  await settled(anna);
  await anna.getByRole("button", { name: "Second reader" }).click();
  await anna.getByText("nothing is left for you to read").waitFor();
  await anna.getByText(/2 open, 0 labelled, 0 rejected; 2 read by you/).waitFor();

  // The second one starts from the proposed masks, the image that was handed on first, and may not ask for what others did.
  const { page: ben, faults: bens } = await reading("ben");
  expect(await lesions(ben)).toBe(1);
  expect(await ben.getByRole("button", { name: "Agreement and effort" }).count()).toBe(0);
  expect(await ben.getByText("anna").count()).toBe(0);
  await ben.getByRole("button", { name: "Accept" }).click();
  await ben.getByText(/1 of 2 read by you/).waitFor();
  await settled(ben);
  expect(await lesions(ben)).toBe(1);
  await corrected(ben, 0.1, 0.9);
  await ben.getByText("nothing is left for you to read").waitFor();
  // Of the image that was handed on one more decision is missing, which neither of them can make.
  await ben.getByText(/1 open, 1 labelled, 0 rejected; 2 read by you/).waitFor();

  await admin.getByRole("button", { name: "Agreement and effort" }).click();
  await admin.getByRole("table", { name: "What labelling took" }).getByRole("row", { name: /anna 2 0 1 0 1/ }).waitFor();
  await admin.getByRole("table", { name: "Agreement of readers" }).getByRole("row", { name: /anna and ben 1 0\.9/ }).waitFor();
  await shot(admin, "agreement");
  expect(await violations(admin)).toEqual([]);
  await admin.getByRole("button", { name: /Look at the consensus of/ }).click();
  await settled(admin);
  await admin.getByText(/the mask of anna and ben, whose agreement is 0\.9/).waitFor();
  // STAPLE keeps what both have outlined; the spot of either alone is none of it.
  expect(await lesions(admin)).toBe(1);
  expect([...faults, ...annas, ...bens]).toEqual([]);
  await Promise.all([admin, anna, ben].map((page) => page.context().close()));
});
