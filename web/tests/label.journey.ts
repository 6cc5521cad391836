import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { example, launched, opened, placeIn, settled, shot, tab, viewer, violations } from "./browser";

let browser: Browser;
beforeAll(async () => { browser = await launched(); });
afterAll(async () => { await browser.close(); });

it("labels the images of a project: accepts one as proposed, corrects another", async () => {
  const { page, faults } = await opened(browser);
  await example(page, "Ultrasound still as PNG");
  await page.getByText("Label a data set").click();
  await page.getByLabel("Name").fill("phantoms");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText(/0 images/).waitFor();
  const add = page.getByRole("button", { name: "Add the open scan" });
  await add.click();
  await page.getByText(/1 image, 1 open/).waitFor();
  await example(page, "Ultrasound still as DICOM");
  await add.click();
  await page.getByText(/2 images, 2 open/).waitFor();

  await page.getByRole("button", { name: "Next image" }).click();
  await settled(page);
  await shot(page, "label");
  await page.getByRole("button", { name: "Accept" }).click();
  await page.getByText(/1 open, 1 labelled/).waitFor();
  await settled(page);

  // A changed mask is no proposed one: it can only be kept as a correction, which is said before Accept is pressed.
  const above = await viewer(page).boundingBox();
  const accept = page.getByRole("button", { name: "Accept" });
  expect(await accept.getAttribute("aria-disabled")).toBe("false");
  await page.getByRole("button", { name: "Brush", exact: true }).click();
  const place = await placeIn(page, 0.9, 0.9);
  await page.mouse.click(place.x, place.y);
  await page.getByText("Changed: keep it, or undo.").waitFor();
  expect(await viewer(page).boundingBox()).toEqual(above);
  expect(await accept.getAttribute("aria-disabled")).toBe("true");
  expect(await accept.evaluate((button) => document.getElementById(button.getAttribute("aria-describedby") ?? "")?.textContent)).toBe("Changed: keep it, or undo.");
  await accept.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("phantoms: 1 of 2 read by you").waitFor();
  expect(await accept.getAttribute("aria-disabled")).toBe("false");
  await page.getByRole("button", { name: "Redo" }).click();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Keep my correction" }).click();
  await page.getByText("nothing is left for you to read").waitFor();
  await page.getByText(/0 open, 2 labelled/).waitFor();

  // What it took, and the mask that the readers give together.
  await page.getByRole("button", { name: "Agreement and effort" }).click();
  await page.getByRole("table", { name: "What labelling took" }).getByRole("row", { name: /local 2 1 1/ }).waitFor();
  expect(await violations(page)).toEqual([]);
  await shot(page, "project");
  await page.getByRole("button", { name: /Look at the consensus of phantom/ }).click();
  await settled(page);
  await tab(page, "Report");
  expect(await page.getByLabel("Sentence to paste").inputValue()).toContain("the consensus of local");

  // Too few patients for a training: what is missing is said where it was asked for.
  await page.getByRole("button", { name: "Retrain", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Retrain from phantoms" });
  await dialog.getByLabel("Modality of the images").selectOption("ultrasound");
  await dialog.getByRole("button", { name: "Retrain" }).click();
  await dialog.getByText("label images of more patients first").waitFor();
  expect(await violations(page)).toEqual([]);
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes("422")));
  expect(faults).toEqual([]);
  await page.context().close();
});

/** A project of as many patients as the loop of the examples has frames, each with an image that was accepted as proposed. */
async function labelledProject(address: string): Promise<void> {
  const asked = async <T>(path: string, body?: FormData | object): Promise<T> => {
    const sent = body instanceof FormData ? { body } : { body: JSON.stringify(body ?? {}), headers: { "Content-Type": "application/json" } };
    return (await (await fetch(`${address}/api${path}`, { method: "POST", ...sent })).json()) as T;
  };
  const loop = await asked<{ id: string; images: { frames: number }[] }>("/examples/ultrasound-cine");
  const project = await asked<{ id: string }>("/projects", { name: "frames", method: "ultrasound" });
  for (let frame = 0; frame < loop.images[0].frames; frame += 1) {
    const picture = await (await fetch(`${address}/api/scans/${loop.id}/images/0/display.png?frame=${frame}`)).blob();
    const files = new FormData();
    files.append("files", picture, `patient-${frame + 1}.png`);
    const scan = await asked<{ id: string }>("/scans", files);
    const [one] = await asked<{ case: string }[]>(`/projects/${project.id}/scans`, { scan: scan.id, patient: `p${frame}` });
    const reading = new FormData();
    reading.append("decision", "accepted");
    reading.append("seconds", "9");
    if (frame > 0) await asked(`/projects/${project.id}/cases/${one.case}/readings`, reading);
  }
}

// Half a minute of training is kept for when the screenshots are renewed; tests/service/test_trainings.py holds the service.
it.runIf(process.env.BREASTSEG_SHOTS !== undefined)("retrains, shows both scores, and orders the queue by the bundle that is taken", async () => {
  const { page, faults } = await opened(browser);
  await labelledProject(inject("address"));
  await page.reload();
  await page.getByText("Label a data set").click();
  await page.getByRole("combobox", { name: "Project" }).selectOption("frames");
  await page.getByRole("button", { name: "Retrain", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Retrain from frames" });
  await dialog.getByLabel(/Epochs/).fill("2");
  await dialog.getByRole("button", { name: "Retrain" }).click();
  await dialog.getByText(/images held out$/).click({ timeout: 300_000 });
  await dialog.getByText("Train again").waitFor();
  await shot(page, "retrain");
  await dialog.getByRole("button", { name: "Take the new bundle" }).click();
  await dialog.getByText(/trained-.* was chosen by local/).waitFor();
  await page.getByRole("progressbar", { name: "Proposing masks" }).waitFor({ state: "detached" });
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByText(/trained-.* proposes the masks\.$/).waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
}, 400_000);
