/** A dialog of the browser's own, which keeps the focus within. */
import { useEffect, useId, useRef, type ReactNode } from "react";

interface DialogProps {
  title: string;
  onClose: () => void;
  /** It grows while it is open, and keeps its width and its top then. */
  results?: boolean;
  children: ReactNode;
}

export function Dialog({ title, onClose, results, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => { element?.close(); };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      data-results={results}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => { event.stopPropagation(); }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
