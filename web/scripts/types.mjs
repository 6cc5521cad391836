/**
 * Generate the types of the documents that Python and the engine share, from their JSON schemas.
 *
 *     npm run types
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const SCHEMAS = fileURLToPath(new URL("../../docs/reference/", import.meta.url));
const TYPES = fileURLToPath(new URL("../engine/generated/", import.meta.url));
export const NAMES = ["results"];

/** The generator knows the older spelling of tuples. */
function tuples(node) {
  if (Array.isArray(node)) return node.map(tuples);
  if (node === null || typeof node !== "object") return node;
  const changed = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, tuples(value)]));
  if (changed.prefixItems) {
    changed.items = changed.prefixItems;
    delete changed.prefixItems;
  }
  return changed;
}

/** The types of one schema as source text. */
export async function typesOf(name) {
  const schema = JSON.parse(await readFile(`${SCHEMAS}${name}.schema.json`, "utf8"));
  return compile(tuples(schema), schema.title ?? name, {
    additionalProperties: false,
    bannerComment: `/* Made by \`npm run types\` from docs/reference/${name}.schema.json. */`,
    style: { printWidth: 110 },
  });
}

/** The path of the generated file. */
export const pathOf = (name) => `${TYPES}${name}.ts`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of NAMES) await writeFile(pathOf(name), await typesOf(name));
}
