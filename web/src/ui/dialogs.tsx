/** What is asked or told in between: remarks of a method, the length on a ruler, the keys. */
import { useEffect, useState } from "react";
import type { Method } from "../backend/backend";
import { Dialog } from "./Dialog";
import { Message } from "./Message";
import { OTHER_KEYS, TOOL_GROUPS } from "./shortcuts";

export function RemarksDialog({ method, onAnswer }: { method: Method; onAnswer: (read: boolean) => void }) {
  return (
    <Dialog title={`Before you use ${method.name}`} onClose={() => { onAnswer(false); }}>
      <ul className="remarks">
        {method.remarks.map((remark) => <li key={remark}>{remark}</li>)}
      </ul>
      {method.trainedOn !== "" && <p>Trained on: {method.trainedOn}.</p>}
      <p>Exports repeat these remarks.</p>
      <div className="buttons">
        <button type="button" className="primary" autoFocus onClick={() => { onAnswer(true); }}>I have read this</button>
        <button type="button" onClick={() => { onAnswer(false); }}>Cancel</button>
      </div>
    </Dialog>
  );
}

export function ReplaceDialog({ onAnswer }: { onAnswer: (agreed: boolean) => void }) {
  return (
    <Dialog title="Replace your correction?" onClose={() => { onAnswer(false); }}>
      <p>The mask was drawn or corrected by hand. A new outline takes its place. Undo brings it back, and the Versions tab keeps a mask for good.</p>
      <div className="buttons">
        <button type="button" className="primary" autoFocus onClick={() => { onAnswer(false); }}>Leave it</button>
        <button type="button" onClick={() => { onAnswer(true); }}>Replace it</button>
      </div>
    </Dialog>
  );
}

/** From pixel to pixel in mm: what the service takes, too. */
const [SMALLEST, LARGEST] = [0.00002, 10];

export function RulerDialog({ pixels, onAnswer }: { pixels: number; onAnswer: (millimetres: number | null) => void }) {
  const [text, setText] = useState("10");
  const length = Number(text.replace(",", "."));
  const spacing = length / pixels;
  const valid = spacing >= SMALLEST && spacing <= LARGEST;
  return (
    <Dialog title="Length on the ruler" onClose={() => { onAnswer(null); }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (valid) onAnswer(length);
        }}
      >
        <p>The two clicks are {pixels.toFixed(1)} pixels apart. What length does the scan&apos;s ruler show there?</p>
        <label>
          Length in mm <input value={text} inputMode="decimal" autoFocus onChange={(event) => { setText(event.target.value); }} />
        </label>
        <p>{valid ? `Pixel spacing: ${spacing.toFixed(4)} mm.` : "A length in millimetres is expected, of at most 10 mm a pixel."}</p>
        <div className="buttons">
          <button type="submit" className="primary" disabled={!valid}>Set the spacing</button>
          <button type="button" onClick={() => { onAnswer(null); }}>Cancel</button>
        </div>
      </form>
    </Dialog>
  );
}

interface LoginProps {
  error: string;
  /** The account whose session has ended; empty where nobody was logged in. */
  again: string;
  provider: boolean;
  onLogin: (name: string, password: string) => void;
  /** The person comes back to this tab. */
  onReturn: () => void;
}

export function LoginDialog({ error, again, provider, onLogin, onReturn }: LoginProps) {
  const [name, setName] = useState(again);
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  useEffect(() => {
    window.addEventListener("focus", onReturn);
    return () => { window.removeEventListener("focus", onReturn); };
  });
  return (
    <Dialog title="Log in" onClose={() => undefined}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          onLogin(name, password);
        }}
      >
        {again !== "" && <p>The session has ended. What you have drawn is still here; after the login do once more what you did last.</p>}
        <label className="field">Account <input required autoFocus autoComplete="username" value={name} onChange={(event) => { setName(event.target.value); }} /></label>
        <label className="field">Password <input required type="password" autoComplete="current-password" value={password} onChange={(event) => { setPassword(event.target.value); }} /></label>
        {tried && error !== "" && <div role="alert" className="problem"><Message text={error} /></div>}
        <div className="buttons">
          <button type="submit" className="primary">Log in</button>
          {provider && <a className="button" href="/api/session/oidc" target={again === "" ? undefined : "_blank"} rel="noopener">Log in with the identity provider</a>}
        </div>
        {provider && again !== "" && <p className="hint">The identity provider opens in a new tab, and this one keeps what you have drawn. Come back to it after the login.</p>}
      </form>
    </Dialog>
  );
}

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Tools and keys" onClose={onClose}>
      <div className="help">
        {TOOL_GROUPS.map((group) => (
          <section key={group.label}>
            <h3>{group.label}</h3>
            <dl>
              {group.tools.map(({ name, label, key, help }) => (
                <div key={name}>
                  <dt><kbd>{key.toUpperCase()}</kbd> {label}</dt>
                  <dd>{help}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>Keys</h3>
          <dl>
            {OTHER_KEYS.map(([key, what]) => (
              <div key={key}>
                <dt><kbd>{key}</kbd></dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
        <section>
          <h3>Mouse and touch</h3>
          <p>The wheel zooms. With Shift it goes through frames and slices. The right button drags the window, the middle one the image. Two fingers zoom and move the image with any tool.</p>
        </section>
      </div>
      <div className="buttons stays"><button type="button" className="primary" autoFocus onClick={onClose}>Close</button></div>
    </Dialog>
  );
}
