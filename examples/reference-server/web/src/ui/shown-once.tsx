import type { ComponentChildren } from 'preact'
import { useEffect, useId } from 'preact/hooks'
import { Dialog } from './dialog.js'
import { Form, Submit } from './form.js'

interface ShownOnceProps {
  readonly title: string
  /** The secret in a `CopyBox`, and what it is good for. */
  readonly children: ComponentChildren
  /** What the person says before it goes, such as `I have stored the key`. */
  readonly confirm: string
  readonly onClose: () => void
}

/** A secret that is not shown again: the dialog stays until somebody says that they have it. */
export function ShownOnce({ title, children, confirm, onClose }: ShownOnceProps) {
  const id = useId()
  useStayAsked()
  return (
    // Not by Escape: a key pressed too often would lose it.
    <Dialog title={title} onClose={() => undefined}>
      <Form onSubmit={async () => onClose()}>
        <div>
          {children}
          <label for={id}>
            <input id={id} type="checkbox" required /> {confirm}
          </label>
        </div>
        <footer>
          <Submit>Done</Submit>
        </footer>
      </Form>
    </Dialog>
  )
}

/** Who closes the tab by mistake is asked whether they mean it. */
function useStayAsked(): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [])
}
