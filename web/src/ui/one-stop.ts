/** A toolbar or list as the ARIA practices have it: one stop of the Tab key, within which the arrow keys go on. */
import { useEffect, type KeyboardEvent, type RefObject } from "react";

const STEPS: Readonly<Record<string, (now: number, count: number) => number>> = {
  ArrowRight: (now, count) => (now + 1) % count,
  ArrowDown: (now, count) => (now + 1) % count,
  ArrowLeft: (now, count) => (now - 1 + count) % count,
  ArrowUp: (now, count) => (now - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** The buttons that can be pressed, those left out on a narrow screen not among them. */
function reachable(bar: HTMLElement): HTMLButtonElement[] {
  return [...bar.querySelectorAll("button")].filter((button) => !button.disabled && button.offsetParent !== null);
}

/** Leaves the pressed tool or what is shown, else the first button, as the only stop; again whenever the bar or the window has changed. */
export function useOneStop(bar: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const leave = (): void => {
      if (bar.current === null) return;
      const buttons = reachable(bar.current);
      const stop = buttons.find((button) => button === document.activeElement) ?? buttons.find((button) => (button.dataset.tool !== undefined && button.ariaPressed === "true") || button.ariaCurrent === "true") ?? buttons.at(0);
      for (const button of bar.current.querySelectorAll("button")) button.tabIndex = button === stop ? 0 : -1;
    };
    leave();
    window.addEventListener("resize", leave);
    return () => { window.removeEventListener("resize", leave); };
  });
}

export function goOn(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key] as (typeof STEPS)[string] | undefined;
  if (step === undefined || !(event.target instanceof HTMLButtonElement)) return;
  const buttons = reachable(event.currentTarget);
  const next = buttons[step(buttons.indexOf(event.target), buttons.length)];
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
  event.preventDefault();
}
