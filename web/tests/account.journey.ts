import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { example, launched, opened, outline, placeIn, tab, violations } from "./browser";
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
