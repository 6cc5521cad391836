import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/backend/api.d.ts"] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js", "scripts/*.mjs"] } },
    },
    rules: {
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", 60],
      "no-console": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  { files: ["**/*.{js,mjs}"], ...tseslint.configs.disableTypeChecked },
  {
    // Scripts of Node, some of which hand functions to a page of the browser.
    files: ["**/*.mjs"],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...["Buffer", "console", "process", "URL"],
          ...["document", "window", "performance", "EventTarget"],
          ...["HTMLCanvasElement", "OffscreenCanvas", "PerformanceObserver"],
        ].map((name) => [name, "readonly"]),
      ),
    },
  },
  { files: ["**/*.test.{ts,tsx}", "tests/*.journey.ts"], rules: { "max-lines-per-function": "off" } },
  { files: ["engine/generated/*.ts"], rules: { "max-lines": "off" } }, // made from the schemas
  { files: ["src/**/*.{ts,tsx}"], plugins: { "react-hooks": hooks }, rules: hooks.configs.recommended.rules },
  {
    // The engine is plain TypeScript: it knows neither the app nor a framework.
    files: ["engine/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { regex: "^(react|react-dom)(/|$)", message: "the engine uses no framework" },
            { regex: "(^|/)\\.\\./src(/|$)", message: "the engine does not know the app" },
          ],
        },
      ],
    },
  },
);
