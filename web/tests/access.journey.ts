import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { example, launched, measured, opened, outline, placeIn, settled, shot, tab, throughRemarks, viewer, violations } from "./browser";

let browser: Browser;
beforeAll(async () => { browser = await launched(); });
afterAll(async () => { await browser.close(); });

describe("accessibility", () => {
  it.each(["light", "dark"] as const)("has no violations that axe finds, %s", async (colorScheme) => {
    const { page, faults } = await opened(browser, { colorScheme, reducedMotion: "reduce" });
    await page.getByRole("button", { name: /as PNG/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    await example(page, "Ultrasound cine loop as DICOM");
    await outline(page);
    for (const name of ["Measure", "Show", "Versions", "Compare", "Report", "Outline"]) {
      await tab(page, name);
      expect(await violations(page), name).toEqual([]);
    }
    if (colorScheme === "dark") await shot(page, "dark");
    await page.getByRole("button", { name: "Help" }).click();
    expect(await violations(page)).toEqual([]);
    if (colorScheme === "light") await shot(page, "help");
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("leaves the image its room: two rows of tools, one stop of the Tab key", async () => {
    const { page } = await opened(browser);
    await example(page, "Ultrasound still as PNG");
    const tools = page.getByRole("toolbar", { name: "Tools" }).getByRole("button");
    for (const width of [1280, 1024]) {
      await page.setViewportSize({ width, height: 700 });
      const rows = new Set(await tools.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top)));
      expect(rows.size).toBeLessThanOrEqual(2);
    }
    await tools.getByText("Click in").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    expect(await tools.getByText("Click out").getAttribute("aria-pressed")).toBe("true");
    await page.keyboard.press("End");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skin");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("role"))).toBe("application");
    await page.context().close();
  });

  it("needs no mouse", async () => {
    const { page, faults } = await opened(browser);
    await page.getByRole("button", { name: "Ultrasound still as PNG" }).focus();
    await page.keyboard.press("Enter");
    await viewer(page).waitFor();
    await viewer(page).focus();
    await page.keyboard.press("Space");
    await throughRemarks(page);
    await page.getByRole("slider", { name: "Threshold" }).waitFor();
    await settled(page);
    const outlined = await measured(page, "Area");
    // A stroke of the brush through the middle: the cross starts there.
    await viewer(page).focus();
    await page.keyboard.press("p");
    for (let step = 0; step < 6; step += 1) await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Enter");
    for (let step = 0; step < 4; step += 1) await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("region", { name: /Lesion \d/ }).count()).toBeGreaterThan(1);
    await page.keyboard.press("Control+z");
    expect(await measured(page, "Area")).toBe(outlined);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Tools and keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

/** Nothing is wider than the screen, and every tool and tab can be brought into sight and pressed. */
async function allWithin(page: Page, width: number): Promise<void> {
  const kinds = page.getByRole("group", { name: "Kinds of tools" }).getByRole("button");
  for (const kind of await kinds.allInnerTexts()) {
    await kinds.getByText(kind, { exact: true }).tap();
    const tools = page.getByRole("group", { name: kind, exact: true }).getByRole("button");
    for (const tool of await tools.all()) {
      await tool.scrollIntoViewIfNeeded();
      const box = await tool.boundingBox();
      expect(box, kind).not.toBeNull();
      expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= width, `${kind}: ${await tool.innerText()}`).toBe(true);
      expect(box?.height).toBeGreaterThanOrEqual(44);
    }
  }
  for (const name of ["Show", "Versions", "Compare", "Report", "Measure"]) {
    await tab(page, name);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(width);
  }
}

it("works on a phone by touch", async () => {
  const { page, faults } = await opened(browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const still = page.getByRole("button", { name: "Ultrasound still as PNG" });
  await still.waitFor();
  await shot(page, "phone-open");
  await still.tap();
  await viewer(page).waitFor();
  const lesion = await placeIn(page, 0.43, 0.42);
  await page.touchscreen.tap(lesion.x, lesion.y);
  await throughRemarks(page);
  await settled(page);
  expect(await measured(page, "Area")).toBeGreaterThan(10);
  await shot(page, "phone");
  // Nothing is wider than the screen, and the notice stays.
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  expect(await page.getByText("Research use only").first().isVisible()).toBe(true);
  // Two fingers zoom and paint nothing.
  const area = await measured(page, "Area");
  const touch = async (type: "touchStart" | "touchMove" | "touchEnd", apart: number): Promise<void> => {
    const touchPoints = type === "touchEnd" ? [] : [-1, 1].map((side, id) => ({ x: lesion.x + side * apart, y: lesion.y, id }));
    await devtools.send("Input.dispatchTouchEvent", { type, touchPoints });
  };
  // The tools of one kind at a time.
  await page.getByRole("group", { name: "Kinds of tools" }).getByRole("button", { name: "Correct" }).tap();
  await page.getByRole("button", { name: "Eraser" }).tap();
  expect(await violations(page)).toEqual([]);
  await touch("touchStart", 30);
  for (const apart of [40, 60, 80]) await touch("touchMove", apart);
  await touch("touchEnd", 0);
  expect(await measured(page, "Area")).toBe(area);
  await shot(page, "phone-zoomed");
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  await page.setViewportSize({ width: 320, height: 640 });
  await allWithin(page, 320);
  await page.setViewportSize({ width: 390, height: 844 });
  // A step back leads to the list of scans, and what is open stays.
  await page.goBack();
  await page.getByRole("button", { name: "Open files" }).waitFor();
  await page.getByRole("button", { name: /phantom-0001/ }).tap();
  expect(await measured(page, "Area")).toBe(area);
  expect(faults).toEqual([]);
  await page.context().close();
});
