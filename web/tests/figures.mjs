/**
 * Measure what a person waits for, on a service that runs.
 *
 *     node web/tests/figures.mjs http://127.0.0.1:8765
 */
import { chromium } from "playwright-core";

const [address = "http://127.0.0.1:8765"] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();

// Every pointer event's handlers are timed, whoever listens.
await page.addInitScript(() => {
  const took = (globalThis.took = []);
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (kind, listener, options) {
    if (kind !== "pointermove" || !(this instanceof HTMLCanvasElement)) return add.call(this, kind, listener, options);
    return add.call(this, kind, (event) => {
      const start = performance.now();
      listener(event);
      took.push(performance.now() - start);
    }, options);
  };
});

const figures = {};
await page.goto(address);
figures["first contentful paint, ms"] = await page.evaluate(
  () => new Promise((resolve) => new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime)).observe({ type: "paint", buffered: true })),
);

const settled = () => page.waitForFunction(() => document.querySelector(".status progress") === null);
const timed = async (run) => {
  const start = performance.now();
  await run();
  return performance.now() - start;
};
const outline = async () => {
  await page.getByRole("button", { name: "Outline", exact: true }).click();
  await settled();
};

await page.getByRole("button", { name: "Ultrasound still as PNG" }).click();
await page.getByRole("application").waitFor();
await outline(); // loads the network
const picture = await page.evaluate(async () => {
  const shown = document.querySelector("canvas");
  const canvas = new OffscreenCanvas(512, 512);
  canvas.getContext("2d").drawImage(shown, 0, 0, 512, 512);
  return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer())];
});
figures["512 x 512 from file to outline, server, ms"] = await timed(async () => {
  await page.getByTestId("files").setInputFiles({ name: "figures.png", mimeType: "image/png", buffer: Buffer.from(picture) });
  await page.getByRole("button", { name: /figures.png/ }).waitFor();
  await settled();
  await outline();
});

const box = await page.getByRole("application").boundingBox();
/** The first click, which may load the network, and the median of the corrective ones after it. */
const clicked = async () => {
  const clicks = [];
  for (let index = 0; index < 8; index += 1) {
    await page.keyboard.press(index % 2 === 0 ? "i" : "o");
    const [x, y] = [box.x + box.width * (0.45 + 0.01 * index), box.y + box.height * (index % 2 === 0 ? 0.4 : 0.8)];
    clicks.push(await timed(async () => {
      await page.mouse.click(x, y);
      await settled();
    }));
  }
  return [clicks[0], clicks.slice(1).sort((a, b) => a - b)[3]];
};
[figures["first click, server, ms"], figures["corrective click, server, median of 7, ms"]] = await clicked();

await page.keyboard.press("p");
await page.evaluate(() => { globalThis.took.length = 0; });
await page.mouse.move(box.x + 200, box.y + 200);
await page.mouse.down();
await page.mouse.move(box.x + 400, box.y + 300, { steps: 100 });
await page.mouse.up();
const took = (await page.evaluate(() => globalThis.took)).sort((a, b) => a - b);
if (took.length === 0) throw new Error("no pointer event reached the image");
figures["brush, an event's handler, median, ms"] = took[Math.floor(took.length / 2)];
figures["brush, an event's handler, 95th of 100, ms"] = took[Math.floor(took.length * 0.95)];

await page.getByRole("switch", { name: "On this device" }).check();
await settled();
const fromFile = async () => {
  await page.getByTestId("files").setInputFiles({ name: "device.png", mimeType: "image/png", buffer: Buffer.from(picture) });
  await page.getByRole("application").waitFor();
  await settled();
  await outline();
};
await fromFile(); // loads the network
figures["512 x 512 from file to outline, device, ms"] = await timed(fromFile);
[figures["first click, device, ms"], figures["corrective click, device, median of 7, ms"]] = await clicked();

for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name}: ${value.toFixed(1)}\n`);
await browser.close();
