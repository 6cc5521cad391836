/** Debian's Chromium and a server for it: the built page, the golden vectors and the shipped bundles. */
import { existsSync } from "node:fs";
import { readFile, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { build } from "vite";

const PAGE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const WEB = fileURLToPath(new URL("../../", import.meta.url));
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

/** Where Debian puts it; empty where it is not installed. */
export const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync) ?? "";

export interface Browser {
  readonly page: Page;
  /** Addresses that were asked for and are not the server's own. */
  readonly foreign: string[];
  /** Ends the server; the page stays. */
  stopServer(): Promise<void>;
  close(): Promise<void>;
}

/** Build the page, serve it with or without isolation, and open it. */
export async function openBrowser(isIsolated = true): Promise<Browser> {
  const out = await mkdtemp(join(tmpdir(), "breastseg-web-"));
  await build({
    root: PAGE,
    configFile: join(WEB, "vite.config.ts"),
    logLevel: "error",
    build: { outDir: out, emptyOutDir: true },
  });
  const folders = [
    ["/golden/", join(ROOT, "tests/golden")],
    ["/bundles/", join(ROOT, "src/breastseg/bundles")],
    ["/", out],
  ] as const;
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const [start, folder] = folders.find(([one]) => path.startsWith(one)) ?? folders[2];
    const file = path === "/" ? join(out, "index.html") : join(folder, path.slice(start.length));
    readFile(file).then(
      (data) => {
        const isolation = isIsolated
          ? { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" }
          : {};
        response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", ...isolation });
        response.end(data);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  const page = await browser.newPage();
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !/^(blob|data):/.test(request.url())) foreign.push(request.url());
  });
  page.on("pageerror", (error) => { throw error; });
  await page.goto(address);
  await page.waitForFunction(() => "actions" in window);
  return {
    page,
    foreign,
    stopServer: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    close: async () => {
      await browser.close();
      server.close();
      await rm(out, { recursive: true });
    },
  };
}
