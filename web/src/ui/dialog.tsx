// A dialog: at most one, in the top layer, closed by Esc, giving the focus back (the browser's part).
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { t } from '../words';

export interface DialogProps {
  title: string;
  testid: string;
  onClose: () => void;
  /** What Enter and the main button do. */
  onSubmit?: () => void;
  foot: ComponentChildren;
  children: ComponentChildren;
}

export function Dialog({ title, testid, onClose, onSubmit, foot, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      // Taken out of the document, an open dialog would lose the focus to the body.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit?.();
  };
  const pressed = (event: MouseEvent) => {
    // The dialog itself is hit only beside its content: on the backdrop.
    if (event.target === dialog.current) onClose();
  };
  return (
    <dialog ref={dialog} class="dialog" aria-label={title} data-testid={testid} onClose={onClose} onMouseDown={pressed}>
      <form onSubmit={submit} noValidate>
        <div class="dialog-body">
          <h2>{title}</h2>
          {children}
        </div>
        <div class="dialog-foot">{foot}</div>
      </form>
    </dialog>
  );
}

/** The two buttons that most dialogs end with. */
export function Ends({ act, busy, bad, onClose }: { act: string; busy?: boolean; bad?: boolean; onClose: () => void }) {
  return (
    <>
      <button type="button" class="btn btn-soft" onClick={onClose}>
        {t.cancel}
      </button>
      <button type="submit" class={`btn ${bad ? 'btn-bad' : 'btn-main'}`} aria-disabled={busy ? 'true' : undefined} data-testid="confirm">
        {act}
      </button>
    </>
  );
}
