/** The name, the notice that never goes, and the switches for the whole app. */
import { useEffect, useState } from "react";
import type { App } from "../state/app";
import { useChanges } from "../state/observable";

export interface HeaderProps {
  app: App;
  listed: boolean;
  onList: () => void;
  onHelp: () => void;
}

export function Header({ app, listed, onList, onHelp }: HeaderProps) {
  useChanges(app);
  const [dark, setDark] = useDark();
  const onDevice = app.place === "device";
  return (
    <header>
      <button type="button" aria-expanded={listed} onClick={onList}>Scans</button>
      <strong className="name">breastseg</strong>
      <span className="notice">Research use only</span>
      <span className="gap" />
      <label className="check" title="Segment in this browser: no image leaves this device">
        <input type="checkbox" role="switch" checked={onDevice} onChange={(event) => { void app.setPlace(event.target.checked ? "device" : "server"); }} />
        On this device
      </label>
      <button type="button" aria-pressed={dark} onClick={() => { setDark(!dark); }}>Dark</button>
      <button type="button" aria-keyshortcuts="?" onClick={onHelp}>Help</button>
      {app.account !== "" && <button type="button" title={`Logged in as ${app.account}`} onClick={() => { void app.logOut(); }}>Log out</button>}
    </header>
  );
}

/** As the system has it, until a person chooses; remembered on this device. */
function useDark(): [boolean, (dark: boolean) => void] {
  const [dark, setDark] = useState(() => {
    const kept = localStorage.getItem("theme");
    return kept === null ? matchMedia("(prefers-color-scheme: dark)").matches : kept === "dark";
  });
  useEffect(() => { document.documentElement.dataset.theme = dark ? "dark" : "light"; }, [dark]);
  return [
    dark,
    (chosen) => {
      localStorage.setItem("theme", chosen ? "dark" : "light");
      setDark(chosen);
    },
  ];
}
