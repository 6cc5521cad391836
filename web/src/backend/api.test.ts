import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { CLIENT, clientTypes } from "../../scripts/client.mjs";

it("has the types of the service as it is", async () => {
  expect(await readFile(CLIENT, "utf8"), "npm run types makes them anew").toBe(await clientTypes());
});
