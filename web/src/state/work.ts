/** What is under way, and what went wrong. */
import { messageOf } from "../backend/backend";
import { NeedsLogin } from "../backend/http";
import { Observable } from "./observable";

export interface Busy {
  what: string;
  /** 0 to 1; null where it is not known. */
  fraction: number | null;
  cancel?: () => void;
}

export class Work extends Observable {
  busy: Busy | null = null;
  error = "";
  /** The service has accounts, and nobody is logged in. */
  needsLogin = false;
  /** Files that this device could not read; the service may be asked instead. */
  refusedHere: readonly File[] = [];
  /** Files whose upload broke off. */
  brokeOff: readonly File[] = [];

  fail(message: string): void {
    this.error = message;
    this.refusedHere = [];
    this.brokeOff = [];
    this.changed();
  }

  /** Tells of what happens, and of what went wrong. */
  async during(what: string, run: (progress: (fraction: number, what: string) => void) => Promise<void>, cancel?: () => void): Promise<void> {
    const busy: Busy = cancel === undefined ? { what, fraction: null } : { what, fraction: null, cancel };
    this.busy = busy;
    this.error = "";
    this.refusedHere = [];
    this.brokeOff = [];
    this.changed();
    await this.guarded(() =>
      run((fraction, now) => {
        if (this.busy?.cancel !== busy.cancel) return;
        this.busy = { ...busy, what: now, fraction };
        this.changed();
      }),
    );
    this.ended(busy);
    this.changed();
  }

  private ended(busy: Busy): void {
    if (this.busy?.cancel === busy.cancel) this.busy = null;
  }

  async guarded(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return;
      this.needsLogin ||= error instanceof NeedsLogin;
      this.fail(messageOf(error));
    }
  }
}
