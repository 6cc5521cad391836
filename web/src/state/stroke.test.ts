import { expect, it } from "vitest";
import type { Backend, ImageInfo } from "../backend/backend";
import { fillPolygon } from "../mask/paint";
import { countOf, emptyMask } from "../mask/mask";
import { Session } from "./session";
import { strokeEnded } from "./stroke";

const image: ImageInfo = {
  ...{ name: "a", kind: "image", rows: 20, columns: 20, frames: 1, channels: 1, low: 0, high: 1, spacingMm: null, sliceMm: null },
  ...{ spacingFrom: null, parts: [], modality: "unknown", view: "", remarks: [], phases: [], studyDate: "", number: "", dicom: false },
};

it("lets an answer wait for the end of a stroke, so that both are steps that can be undone", async () => {
  const session = new Session({} as Backend, { id: "s", name: "s", createdAt: "", images: [image], problems: [] }, 0);
  const answer = emptyMask(20, 20);
  fillPolygon(answer, [{ row: 2, column: 2 }, { row: 2, column: 8 }, { row: 8, column: 8 }], 1);
  session.beginEdit();
  const answered = strokeEnded(session).then(() => { session.replace("Outline", answer); });
  session.mask().data[300] = 1;
  session.paint({ row0: 15, column0: 0, row1: 16, column1: 20 });
  await Promise.resolve();
  expect(session.editing).toBe(true);
  session.endEdit("Brush");
  await answered;
  expect(session.undoLabel).toBe("Outline");
  session.undo();
  expect([session.undoLabel, countOf(session.mask())]).toEqual(["Brush", 1]);
  session.undo();
  expect(countOf(session.mask())).toBe(0);
});
