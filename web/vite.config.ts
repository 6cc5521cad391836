import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { offline } from "./scripts/offline.ts";

// Threads in WebAssembly need a page that shares memory with no other origin.
const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// While the app is worked on, the service runs beside it (breastseg serve).
const service = { "/api": process.env.BREASTSEG_SERVICE ?? "http://127.0.0.1:8765" };

export default defineConfig({
  plugins: [react(), offline()],
  worker: { format: "es" },
  build: { target: "es2022", assetsInlineLimit: 0 },
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  server: { host: "127.0.0.1", headers: isolated, proxy: service },
  preview: { host: "127.0.0.1", headers: isolated, proxy: service },
  test: {
    include: ["engine/**/*.test.ts", "tests/browser/**/*.test.ts", "src/**/*.test.{ts,tsx}"],
    maxWorkers: 1,
    testTimeout: 120000,
    hookTimeout: 120000,
  },
});
