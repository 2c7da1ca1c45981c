import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { wordsOf } from '../api.js'
import { focusAgain } from './focus.js'
import { isCancelled } from './form.js'
import { say } from './say.js'

interface ActionProps {
  readonly onAction: () => Promise<unknown>
  /** Said when it is done. */
  readonly done?: string
  /** For screen readers where several buttons have the same words: what it is done to. */
  readonly label?: string
  readonly danger?: boolean
  readonly children: ComponentChildren
  readonly class?: string
}

/** A button that does something at the panel: once at a time, and what goes wrong is said. */
export function Action({ onAction, done, label, danger, children, class: className = 'outline small' }: ActionProps) {
  const [busy, setBusy] = useState(false)
  const running = useRef(false)
  const run = async ({ currentTarget: button }: { readonly currentTarget: HTMLElement }) => {
    if (running.current) return
    running.current = true
    setBusy(true)
    try {
      await onAction()
      if (done) say(done)
    } catch (error) {
      if (!isCancelled(error)) say(wordsOf(error), 'danger')
    } finally {
      running.current = false
      setBusy(false)
      // It may have gone with what it was done to.
      requestAnimationFrame(() => focusAgain(button))
    }
  }
  return (
    <button
      type="button"
      class={className}
      // Not `disabled`: the focus would be lost.
      aria-disabled={busy || undefined}
      aria-label={label}
      data-variant={danger ? 'danger' : undefined}
      onClick={run}
    >
      {children}
    </button>
  )
}
