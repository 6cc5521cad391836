/** Keeping the mask that is shown as a version, once. */
import { namedWithVersion, type Version } from "../backend/backend";
import type { Server } from "../backend/server";
import type { Session } from "./session";

/** Keeps the mask as the next version. */
export async function kept(server: Server, session: Session, note = ""): Promise<Version> {
  const seconds = (performance.now() - session.openedAt) / 1000;
  const about = { frame: session.frame, base: baseOf(session), note, seconds, skinLine: session.skin.line };
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

/** The stored result that the mask started from; null where it was not one that the service has. */
function baseOf({ authors, outcome, keptVersion }: Session): string | null {
  const has = (name: string): boolean => authors.by.includes(name);
  if (outcome !== null && has(namedWithVersion(outcome))) return outcome.id;
  return keptVersion !== null && keptVersion.base.some(has) ? keptVersion.baseId : null;
}
