import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { focusAgain } from './focus.js'
import { Form, type FormFields, Submit } from './form.js'

interface DialogProps {
  readonly title: string
  /** Closed by Escape, by the button or by whoever shows it. */
  readonly onClose: () => void
  readonly children: ComponentChildren
  /** For what is wide, such as a table. */
  readonly wide?: boolean
}

/** A dialog over the page for as long as it is rendered. The focus goes in, and back to where it was. */
export function Dialog({ title, onClose, children, wide }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const element = dialog.current
    const before = document.activeElement
    element?.showModal()
    return () => {
      element?.close()
      focusAgain(before)
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={wide ? 'wide' : undefined}
      aria-labelledby={id}
      onCancel={(event) => {
        // A dialog inside this one has its own.
        if (event.target !== event.currentTarget) return
        event.preventDefault()
        onClose()
      }}
      onClose={(event) => {
        // A browser closes at the second Escape without asking: what may not be closed yet is there again.
        if (event.target !== event.currentTarget || dialog.current === null) return
        onClose()
        requestAnimationFrame(() => {
          if (dialog.current?.isConnected && !dialog.current.open) dialog.current.showModal()
        })
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
      </header>
      {children}
    </dialog>
  )
}

interface FormDialogProps {
  readonly title: string
  readonly submit: string
  readonly danger?: boolean
  readonly onSubmit: (fields: FormFields) => Promise<void>
  /** Also after a submit that succeeded. */
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** A dialog that asks for something; it closes when that is done. */
export function FormDialog({ title, submit, danger, onSubmit, onClose, children }: FormDialogProps) {
  const send = async (fields: FormFields) => {
    await onSubmit(fields)
    // Who has closed it meanwhile may have opened another.
    if (fields.element.isConnected) onClose()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <Form onSubmit={send}>
        <div>{children}</div>
        <footer>
          <button type="button" class="outline" onClick={onClose}>
            Cancel
          </button>
          <Submit {...(danger && { variant: 'danger' as const })}>{submit}</Submit>
        </footer>
      </Form>
    </Dialog>
  )
}
