/** Debian's Chromium, and what all journeys do. */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from "playwright-core";
import { expect, inject } from "vitest";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SHOTS = fileURLToPath(new URL("../../docs/how-to/browser/", import.meta.url));

export function launched(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

export interface Watched {
  page: Page;
  /** Errors of the page, and requests to any other machine. */
  faults: string[];
}

/** A page of the app that notes every fault. */
export async function opened(browser: Browser, options: BrowserContextOptions = {}, address = inject("address")): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults: string[] = [];
  page.on("pageerror", (error) => { faults.push(error.message); });
  page.on("console", (message) => { if (message.type() === "error") faults.push(message.text()); });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !/^(data|blob):/.test(url)) faults.push(`request to ${url}`);
  });
  page.on("dialog", (dialog) => { void dialog.accept(); }); // leaving the page with something drawn
  await page.goto(address);
  return { page, faults };
}

export async function example(page: Page, summary: string | RegExp): Promise<void> {
  await page.getByRole("button", { name: summary }).click();
  await settled(page);
  await viewer(page).waitFor();
}

export function viewer(page: Page): Locator {
  return page.getByRole("application").first();
}

/** A point of the viewer by shares of its width and height. */
export async function placeIn(page: Page, right: number, down: number): Promise<{ x: number; y: number }> {
  const box = await viewer(page).boundingBox();
  if (box === null) throw new Error("the viewer is not shown");
  return { x: box.x + right * box.width, y: box.y + down * box.height };
}

export async function tab(page: Page, name: string): Promise<void> {
  await page.getByRole("tab", { name }).click();
}

/** Presses Outline, and reads the remarks where there are any. */
export async function outline(page: Page): Promise<void> {
  await tab(page, "Outline");
  await page.getByRole("button", { name: "Outline", exact: true }).click();
  await throughRemarks(page);
  await settled(page);
}

export async function throughRemarks(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog");
  const asked = await dialog.waitFor({ timeout: 1500 }).then(() => true, () => false);
  if (asked) await dialog.getByRole("button", { name: "I have read this" }).click();
}

/** Nothing is under way, and no error is told. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector(".status progress") === null, null, { timeout: 100_000 });
  expect(await page.getByRole("alert").innerText()).toBe("");
}

/** What the Measure tab says of a lesion. */
export async function measured(page: Page, what: string, lesion = 1): Promise<number> {
  await tab(page, "Measure");
  const value = page.getByRole("region", { name: `Lesion ${lesion}` }).locator("div", { hasText: what }).locator("dd");
  return Number.parseFloat(await value.innerText());
}

/** What axe finds against WCAG 2.2 A and AA. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe: loaded } = globalThis as unknown as { axe: { run: (options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } };
    const found = await loaded.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  });
}

/** Keeps a screenshot for the documentation where `make web-shots` asks for it. */
export async function shot(page: Page, name: string): Promise<void> {
  if (process.env.BREASTSEG_SHOTS === undefined) return;
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}${name}.png` });
}
