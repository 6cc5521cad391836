/** The whole page: scans on one side, the image in the middle, what is known of it on the other. */
import { lazy, Suspense, useEffect, useEffectEvent, useState } from "react";
import { App } from "../state/app";
import { useChanges } from "../state/observable";
import { Display } from "../viewer/display";
import { HelpDialog, LoginDialog, RemarksDialog, ReplaceDialog } from "./dialogs";
import { filesOf } from "./dropped";
import { Header } from "./Header";
import { Message } from "./Message";
import { ScanList } from "./ScanList";

/** As in the style sheet: the list and the image do not stand beside each other. */
const NARROW = 900;

// The list of scans is there at once; the viewer follows while it is looked at.
const Workspace = lazy(() => import("./Workspace"));

export function AppView() {
  const [app] = useState(() => new App());
  const [display] = useState(() => new Display());
  const [help, setHelp] = useState(false);
  const [listed, setListed] = useState(true);
  useChanges(app);
  useEffect(() => { void app.start(); }, [app]);
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => {
      if (app.hasUnkept) event.preventDefault();
    };
    window.addEventListener("beforeunload", ask);
    return () => { window.removeEventListener("beforeunload", ask); };
  }, [app]);
  const { session } = app;
  useStepBack(session !== null && !listed, () => { setListed(true); });
  return (
    <div
      className="app"
      data-listed={listed || session === null}
      onDragOver={(event) => { event.preventDefault(); }}
      onDrop={(event) => {
        event.preventDefault();
        void filesOf(event.dataTransfer).then((files) => app.open(files));
      }}
    >
      <Header app={app} listed={listed} onList={() => { setListed(!listed || session === null); }} onHelp={() => { setHelp(true); }} />
      <ScanList app={app} onPicked={() => { if (window.innerWidth < NARROW) setListed(false); }} />
      {session === null ? (
        <main className="empty">
          <h1>Outline a breast lesion</h1>
          <ol>
            <li>Open a scan, or pick an example.</li>
            <li>Press <b>Outline</b>, or click in the lesion.</li>
            <li>Correct the contour, read the measurements, save the report.</li>
          </ol>
        </main>
      ) : (
        <Suspense fallback={<main className="empty"><p>Loading the viewer</p></main>}>
          <Workspace app={app} session={session} display={display} onHelp={() => { setHelp(true); }} />
        </Suspense>
      )}
      <Status app={app} />
      {app.needsLogin && <LoginDialog error={app.error} again={app.account} provider={app.about?.has_provider === true} onLogin={(name, password) => { void app.logIn(name, password); }} onReturn={() => { void app.lookForSession(); }} />}
      {help && <HelpDialog onClose={() => { setHelp(false); }} />}
      {app.asking !== null && <RemarksDialog method={app.asking} onAnswer={(read) => { app.answerRemarks(read); }} />}
      {app.replacing !== null && <ReplaceDialog onAnswer={(agreed) => { app.answerReplacing(agreed); }} />}
    </div>
  );
}

/** On a narrow screen the browser's step back leads from an image to the list of scans, and only from there away. */
function useStepBack(alone: boolean, onBack: () => void): void {
  const back = useEffectEvent(onBack);
  useEffect(() => {
    const listen = (): void => { back(); };
    window.addEventListener("popstate", listen);
    return () => { window.removeEventListener("popstate", listen); };
  }, []);
  useEffect(() => {
    if (alone && window.innerWidth < NARROW && history.state === null) history.pushState("image", "");
  }, [alone]);
}

function Status({ app }: { app: App }) {
  useChanges(app);
  const { busy, error, refusedHere, brokeOff } = app;
  return (
    <div className="status">
      <div role="status">
        {busy !== null && (
          <>
            <span>{busy.what}</span>
            <progress value={busy.fraction ?? undefined} max={1} aria-label={busy.what} />
            {busy.cancel !== undefined && <button type="button" onClick={busy.cancel}>Cancel</button>}
          </>
        )}
      </div>
      <div role="alert">
        {error !== "" && (
          <>
            <Message text={error} />
            {refusedHere.length > 0 && <button type="button" onClick={() => { void app.openOnServer(refusedHere); }}>Upload to the service instead</button>}
            {brokeOff.length > 0 && <button type="button" onClick={() => { void app.open(brokeOff); }}>Upload again</button>}
            <button type="button" onClick={() => { app.fail(""); }}>Close</button>
          </>
        )}
      </div>
    </div>
  );
}
