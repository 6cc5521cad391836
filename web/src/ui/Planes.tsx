/** A volume's two other planes through a point, with the mask; a click moves the point. */
import { useEffect, useRef, useState } from "react";
import { boundsOf } from "../mask/mask";
import { rings } from "../mask/contour";
import { reformatted, reformattedMask, type Plane } from "../mask/planes";
import { useChanges } from "../state/observable";
import type { Session } from "../state/session";
import { paintImage } from "../viewer/layers";
import { Slider } from "./Slider";

/** Pixels of the canvas a voxel, so that the contour is a line and no row of voxels. */
const FINE = 6;

export function Planes({ session }: { session: Session }) {
  useChanges(session);
  const { rows, columns, frames } = session.image;
  const { phase } = session;
  const [row, setRow] = useState(Math.floor(rows / 2));
  const [column, setColumn] = useState(Math.floor(columns / 2));
  useEffect(() => {
    let left = false;
    const loadAll = async (): Promise<void> => {
      for (let slice = 0; slice < frames && !left; slice += 1) await session.load(slice);
    };
    void loadAll();
    return () => { left = true; };
  }, [session, frames, phase]);
  return (
    <div className="planes">
      <PlaneView session={session} plane="row" at={row} label={`Plane along row ${row + 1}`} onPick={(slice, across) => { session.show(slice); setColumn(across); }} />
      <Slider label="Row" min={1} max={rows} step={1} value={row + 1} onChange={(value) => { setRow(value - 1); }} />
      <PlaneView session={session} plane="column" at={column} label={`Plane along column ${column + 1}`} onPick={(slice, across) => { session.show(slice); setRow(across); }} />
      <Slider label="Column" min={1} max={columns} step={1} value={column + 1} onChange={(value) => { setColumn(value - 1); }} />
    </div>
  );
}

interface PlaneProps {
  session: Session;
  plane: Plane;
  at: number;
  label: string;
  onPick: (slice: number, across: number) => void;
}

function PlaneView({ session, plane, at, label, onPick }: PlaneProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const revision = useChanges(session);
  const { rows, columns, frames, spacingMm, sliceMm } = session.image;
  const across = plane === "row" ? columns : rows;
  const step = spacingMm === null ? 1 : plane === "row" ? spacingMm[1] : spacingMm[0];
  const aspect = spacingMm === null || sliceMm === null ? across / frames : (across * step) / (frames * sliceMm);
  const missing = Array.from({ length: frames }, (_, slice) => session.loaded(slice)).filter((one) => one === undefined).length;
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, session, plane, at);
  }, [session, plane, at, revision]);
  return (
    <figure className="plane">
    <canvas
      ref={canvas}
      role="img"
      aria-label={label}
      style={{ aspectRatio: aspect }}
      onClick={({ nativeEvent, currentTarget }) => {
        const share = (offset: number, length: number, count: number): number => Math.min(count - 1, Math.max(0, Math.floor((offset / length) * count)));
        // The last slice lies at the top, as the head does in axial series that go upwards.
        const slice = frames - 1 - share(nativeEvent.offsetY, currentTarget.clientHeight, frames);
        onPick(slice, share(nativeEvent.offsetX, currentTarget.clientWidth, across));
      }}
    />
    <figcaption>{missing > 0 ? `${missing} of ${frames} slices are being loaded` : `Slice ${frames} at the top, slice 1 at the bottom`}</figcaption>
    </figure>
  );
}

function draw(canvas: HTMLCanvasElement, session: Session, plane: Plane, at: number): void {
  const { rows, columns, frames: count } = session.image;
  const flipped = (slice: number): number => count - 1 - slice;
  const frame = reformatted({ rows, columns, count, of: (slice) => session.loaded(flipped(slice))?.values }, plane, at);
  const mask = reformattedMask({ rows, columns, count, of: (slice) => session.mask(flipped(slice)).data }, plane, at);
  const pixels = document.createElement("canvas");
  paintImage(pixels, frame, session.window);
  canvas.width = frame.columns * FINE;
  canvas.height = frame.rows * FINE;
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.scale(FINE, FINE);
  context.drawImage(pixels, 0, 0, frame.columns, frame.rows);
  context.strokeStyle = "#ff9f1c";
  context.lineWidth = 0.5;
  context.beginPath();
  for (const path of rings(mask, boundsOf(mask))) {
    context.moveTo(path[1], path[0]);
    for (let index = 2; index < path.length; index += 2) context.lineTo(path[index + 1], path[index]);
    context.closePath();
  }
  context.stroke();
  context.fillStyle = "rgb(140 196 255 / 70%)";
  context.fillRect(0, flipped(session.frame) + 0.35, frame.columns, 0.3);
}
