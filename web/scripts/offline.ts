/** Vite: builds the service worker and tells it the names of all files of the app. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const WORKER = fileURLToPath(new URL("../engine/service-worker/index.ts", import.meta.url));
const NAME = "worker.js";

export function offline(): Plugin {
  let publicFiles: string[] = [];
  return {
    name: "breastseg-offline",
    apply: "build",
    configResolved({ publicDir }) {
      publicFiles = existsSync(publicDir) ? readdirSync(publicDir) : [];
    },
    buildStart() {
      this.emitFile({ type: "chunk", id: WORKER, fileName: NAME });
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const worker = bundle[NAME];
        if (worker.type !== "chunk") throw new Error(`${NAME} is no chunk`);
        const files = Object.keys(bundle).filter((name) => name !== NAME && !name.endsWith(".map"));
        const hash = createHash("sha256");
        for (const name of files.sort()) {
          const file = bundle[name];
          hash.update(name).update(file.type === "chunk" ? file.code : file.source);
        }
        const version = hash.digest("hex").slice(0, 16);
        worker.code = `const FILES = ${JSON.stringify([...files, ...publicFiles])}, VERSION = "${version}";\n${worker.code}`;
      },
    },
  };
}
