/** Starts `breastseg serve` on a free port of the loopback, with a store that is thrown away. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
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

const PYTHON = process.env.PYTHON ?? fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));
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

/** @param config lines of the configuration file; empty for none. */
export async function started(config: (address: string) => string = () => ""): Promise<Service> {
  const port = await freePort();
  const root = await mkdtemp(join(tmpdir(), "breastseg-web-"));
  const address = `http://127.0.0.1:${port}`;
  const named = config(address) === "" ? [] : ["--config", join(root, "serve.toml")];
  await writeFile(join(root, "serve.toml"), config(address));
  const service = spawn(COMMAND, ["serve", "--port", String(port), "--root", join(root, "store"), ...named], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  service.stderr.on("data", (part) => { said += String(part); });
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await answers(address))) {
    if (service.exitCode !== null || Date.now() > deadline) {
      service.kill();
      throw new Error(`${COMMAND} serve does not answer. ${said}`);
    }
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

export interface Peers {
  /** DICOMweb of an Orthanc with phantoms; null where none is installed. */
  archive: string | null;
  /** Issuer of an identity provider. */
  provider: string;
  stop: () => Promise<void>;
}

export async function startedPeers(): Promise<Peers> {
  const peers = spawn(PYTHON, [fileURLToPath(new URL("peers.py", import.meta.url))], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((told) => peers.once("exit", () => { told(); }));
  const line = await new Promise<string>((told, failed) => {
    peers.stdout.once("data", (part) => { told(String(part)); });
    peers.once("exit", () => { failed(new Error("web/tests/peers.py has ended")); });
  });
  const stop = async (): Promise<void> => {
    peers.stdin.end();
    await ended;
  };
  return { ...(JSON.parse(line) as Omit<Peers, "stop">), stop };
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
