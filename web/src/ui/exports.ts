/** Files made in the browser from what is on the screen. */
import { rings, signedArea } from "../mask/contour";
import { regionMask } from "../mask/regions";
import type { Session } from "../state/session";
import { areaText, isMoved, lengthText, madeBy } from "../state/words";
import { Display } from "../viewer/display";
import { Scene } from "../viewer/scene";

export interface About {
  text: string;
  remarks: readonly string[];
}

const NOTICE = "Research use only. Not a medical device.";

export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has taken the address by the next turn of the event loop.
  setTimeout(() => { URL.revokeObjectURL(link.href); }, 60_000);
}

/** The image with its contour and diameters, at the image's own proportion and at least its own size. */
export function overlayOf(session: Session): Promise<Blob> {
  const canvas = document.createElement("canvas");
  const { rows, columns, spacingMm } = session.image;
  const aspect = spacingMm === null ? 1 : spacingMm[0] / spacingMm[1];
  const scale = Math.max(1, Math.ceil(512 / columns)) / window.devicePixelRatio;
  const display = new Display();
  // A line that a person has laid is shown with the way to it: the distance refers to both.
  display.set({ fill: false, skin: session.skin.line !== null });
  const scene = new Scene(canvas, session, display);
  scene.resize({ width: columns * scale, height: rows * aspect * scale });
  scene.close();
  scene.draw();
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error("The picture could not be made. Expected: room in memory. Try: a smaller image."));
      else resolve(blob);
    }, "image/png");
  });
}

/** One annotation a lesion, its contour as polygons; x before y, as COCO has it. */
export function cocoOf(session: Session, about: About): Blob {
  const { rows, columns, name } = session.image;
  const annotations = session.lesions.map(({ region }) => {
    const paths = rings(regionMask(region, rows, columns), region.box);
    return {
      id: region.number,
      image_id: 1,
      category_id: 1,
      iscrowd: 0,
      area: region.pixels,
      bbox: [region.box.column0, region.box.row0, region.box.column1 - region.box.column0, region.box.row1 - region.box.row0],
      // COCO's polygons have no holes; a lesion's outer contour comes first in area.
      segmentation: paths.filter((path) => signedArea(path) > 0).map((path) => swapped(path)),
    };
  });
  const document = {
    info: { description: `${NOTICE} ${about.text}`, remarks: about.remarks },
    images: [{ id: 1, file_name: name, width: columns, height: rows }],
    categories: [{ id: 1, name: "lesion" }],
    annotations,
  };
  return new Blob([JSON.stringify(document, null, 1)], { type: "application/json" });
}

function swapped(path: readonly number[]): number[] {
  return path.map((_, index) => path[index % 2 === 0 ? index + 1 : index - 1]);
}

export function csvOf(session: Session, about: About): Blob {
  const head = ["image", "frame", "lesion", "unit", "longest_diameter", "perpendicular_diameter", "area", "distance_to_skin", "pixels", "diameters", "method", "remarks"];
  const rows = session.lesions.map((lesion) => [
    session.image.name,
    session.frame + 1,
    lesion.region.number,
    lesion.unit,
    lesion.longest.length.toPrecision(4),
    lesion.perpendicular.length.toPrecision(4),
    lesion.area.toPrecision(4),
    session.skin.from(lesion)?.length.toPrecision(4) ?? "",
    lesion.region.pixels,
    isMoved(lesion) ? "moved by hand" : "measured",
    madeBy(session.authors),
    [NOTICE, ...about.remarks].join(" "),
  ]);
  return new Blob([[head, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n"], { type: "text/csv" });
}

/** Text that a spreadsheet would take for a formula is kept as text. */
function quoted(value: string | number): string {
  const text = String(value);
  return typeof value === "number" ? text : `"${(/^[=+\-@]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

/** One page that needs nothing else: picture, measurements, remarks. */
export async function reportOf(session: Session, about: About): Promise<Blob> {
  const picture = await dataAddress(await overlayOf(session));
  const rows = session.lesions
    .map(
      (lesion) =>
        `<tr><td>${lesion.region.number}</td><td>${lengthText(lesion.longest.length, lesion.unit)}</td><td>${lengthText(lesion.perpendicular.length, lesion.unit)}${isMoved(lesion) ? " (moved by hand)" : ""}</td><td>${areaText(lesion.area, lesion.unit)}</td><td>${skinText(session, lesion)}</td></tr>`,
    )
    .join("");
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Report</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}img{max-width:100%}table{border-collapse:collapse}td,th{border:1px solid #888;padding:.3rem .7rem;text-align:right}</style>
<h1>${escaped(session.image.name)}</h1><p><strong>${NOTICE}</strong></p><p>${escaped(about.text)}</p>
<img src="${picture}" alt="The image with the contour of each lesion and its diameters">
<table><tr><th>Lesion</th><th>Longest diameter</th><th>Perpendicular diameter</th><th>Area</th><th>Distance to skin</th></tr>${rows}</table>
<p>${skinSource(session)}</p>
${about.remarks.map((remark) => `<p>${escaped(remark)}</p>`).join("")}</html>`;
  return new Blob([page], { type: "text/html" });
}

/** What the distance refers to, as the service's reports say it. */
function skinSource({ skin, lesions }: Session): string {
  if (lesions.length === 0) return "";
  if (skin.from(lesions[0]) === null) return "Distance to skin: not known, no skin line is seen in the image, and none was laid.";
  const line = skin.line === null ? "the edge of the breast as seen" : "the skin line laid by hand, drawn here";
  return `Distance to skin: the shortest one to ${line}, in the plane of the image, between centres of pixels; an upper bound where the nearest skin may lie beyond the image.`;
}

function skinText(session: Session, lesion: Session["lesions"][number]): string {
  const way = session.skin.from(lesion);
  return way === null ? "not known" : lengthText(way.length, lesion.unit);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

async function dataAddress(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:${blob.type};base64,${btoa(text)}`;
}
