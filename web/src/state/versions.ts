/** Keeping the mask that is shown as a version, once. */
import type { Version } from "../backend/backend";
import type { Server } from "../backend/server";
import type { Session } from "./session";

/** Keeps the mask as the next version. */
export async function kept(server: Server, session: Session, note = ""): Promise<Version> {
  const seconds = (performance.now() - session.openedAt) / 1000;
  const about = { frame: session.frame, base: session.authors.resultId, note, seconds, skinLine: session.skin.line };
  const version = await server.keep(session.scan, session.index, session.mask(), about);
  session.markKept(version);
  return version;
}

/** The version that holds the mask and the skin line as they are; it is kept where there is none yet. */
export async function keptNow(server: Server, session: Session): Promise<Version> {
  const { keptVersion: known, frame, skin } = session;
  const same = !session.isUnkept && known?.frame === frame && JSON.stringify(known.skinLine) === JSON.stringify(skin.line);
  return same ? known : kept(server, session);
}
