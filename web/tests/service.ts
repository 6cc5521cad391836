/** Starts `breastseg serve` on a free port of the loopback, with a store that is thrown away. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    address: string;
  }
}

const COMMAND = process.env.BREASTSEG ?? fileURLToPath(new URL("../../.venv/bin/breastseg", import.meta.url));
const PATIENCE_MS = 90_000;

export interface Service {
  address: string;
  stop: () => Promise<void>;
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { address, stop } = await started();
  project.provide("address", address);
  return stop;
}

export async function started(): Promise<Service> {
  const port = await freePort();
  const root = await mkdtemp(join(tmpdir(), "breastseg-web-"));
  const service = spawn(COMMAND, ["serve", "--port", String(port), "--root", root], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  service.stderr.on("data", (part) => { said += String(part); });
  const address = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await answers(address))) {
    if (service.exitCode !== null || Date.now() > deadline) throw new Error(`${COMMAND} serve does not answer. ${said}`);
    await new Promise((later) => setTimeout(later, 200));
  }
  const stop = async (): Promise<void> => {
    if (service.exitCode === null) {
      const ended = new Promise((told) => service.once("exit", told));
      service.kill();
      await ended;
    }
    await rm(root, { recursive: true, force: true });
  };
  return { address, stop };
}

async function answers(address: string): Promise<boolean> {
  try {
    return (await fetch(`${address}/api/about`)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => { resolve(typeof address === "object" && address !== null ? address.port : 0); });
    });
  });
}
