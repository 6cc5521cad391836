import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {} from "./page";
import { CHROMIUM, openBrowser, type Browser } from "./chromium";

const NAMES = ["ultrasound", "ultrasound-fast", "ultrasound-prompt", "mammography", "histopathology-nuclei", "histopathology-tumour"];
const TOLERANCE = 1e-3;
const FEW = 5;

describe.skipIf(!CHROMIUM)("the engine in Chromium, which Debian's package chromium brings", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test("its page is isolated, so that the network has threads", async () => {
    expect(await browser.page.evaluate(() => self.crossOriginIsolated)).toBe(true);
  });

  test.each(NAMES)("%s gives Python's probabilities and masks", async (name) => {
    const found = await browser.page.evaluate(
      ([one, tolerance]) => window.actions.agreement(one, tolerance),
      [name, TOLERANCE] as const,
    );
    expect(found.cases).toBeGreaterThan(2);
    expect(found.largestDifference).toBeLessThan(TOLERANCE);
    expect(found.wrongLabels).toBe(0);
    expect(found.otherLabels).toBeLessThan(FEW);
  });

  test("files are decoded to Python's arrays, or refused", async () => {
    const found = await browser.page.evaluate(() => window.actions.decoding());
    expect(found.other).toEqual([]);
    expect(found.same).toBeGreaterThan(85);
  });

  test("volumes are read and outlined as in Python, and a run may be ended", async () => {
    const found = await browser.page.evaluate(() => window.actions.volumes("mri-phantom", "axial"));
    expect(found.read).toBeGreaterThan(15);
    expect(found.refused).toBe(5);
    expect(found.largestDifference).toBeLessThan(TOLERANCE);
    expect(found.cancelled).toBe("AbortError");
  });

  test("a job that is cancelled says so, and the next one is answered", async () => {
    const found = await browser.page.evaluate(() => window.actions.cancelling("ultrasound-fast"));
    expect(found.first).toBe("AbortError");
  });

  test("app and bundle work with the server stopped", async () => {
    const { page } = browser;
    await page.evaluate(() => window.actions.keeping("ultrasound-fast"));
    await browser.stopServer();
    await page.reload();
    await page.waitForFunction(() => "actions" in window);
    expect(await page.evaluate(() => self.crossOriginIsolated)).toBe(true);
    const found = await page.evaluate(() => window.actions.cancelling("ultrasound-fast"));
    expect(found.first).toBe("AbortError");
  });

  test("nothing was asked of any other machine", () => {
    expect(browser.foreign).toEqual([]);
  });
});
