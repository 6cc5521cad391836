/**
 * Generate the types of the service's requests and answers from its OpenAPI document.
 *
 *     npm run types
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const DOCUMENT = new URL("../../docs/reference/openapi.json", import.meta.url);
export const CLIENT = fileURLToPath(new URL("../src/backend/api.d.ts", import.meta.url));

/** The types as source text. */
export async function clientTypes() {
  const document = JSON.parse(await readFile(DOCUMENT, "utf8"));
  return `/* Made by \`npm run types\` from docs/reference/openapi.json. */\n${astToString(await openapiTS(document))}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(CLIENT, await clientTypes());
