/** State outside of React that components may watch. */
import { useSyncExternalStore } from "react";

export class Observable {
  private readonly listeners = new Set<() => void>();
  private revision = 0;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Counts the changes. */
  snapshot = (): number => this.revision;

  /** Tells all who watch. */
  protected changed(): void {
    this.revision += 1;
    for (const listener of [...this.listeners]) listener();
  }
}

/** Draws the component again at each change; gives the number of changes so far. */
export function useChanges(observed: Observable): number {
  return useSyncExternalStore(observed.subscribe, observed.snapshot);
}
