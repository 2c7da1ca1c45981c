import { useEffect, useRef, useState } from 'preact/hooks'

const shownMs = 2_000
/** Whoever has to copy it themselves needs longer. */
const failedShownMs = 15_000

/** Puts a text on the clipboard. */
export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [state, setState] = useState<'' | 'copied' | 'failed'>('')
  useEffect(() => {
    if (state === '') return
    const timer = setTimeout(() => setState(''), state === 'failed' ? failedShownMs : shownMs)
    return () => clearTimeout(timer)
  }, [state])
  const button = useRef<HTMLButtonElement>(null)
  const copy = async () => {
    const done = await write(text, button.current)
    // Ctrl+C then takes what stands in the box.
    const shown = button.current?.closest('.copy-box')?.querySelector('code')
    if (!done && shown) getSelection()?.selectAllChildren(shown)
    setState(done ? 'copied' : 'failed')
  }
  return (
    <>
      <button
        ref={button}
        type="button"
        class="outline small copy"
        aria-label={state === '' ? label : undefined}
        onClick={copy}
      >
        {state === 'copied' ? 'Copied' : state === 'failed' ? 'Press Ctrl+C' : 'Copy'}
      </button>
      <span class="visually-hidden" role="status">
        {state === 'copied'
          ? 'Copied'
          : state === 'failed'
            ? 'It could not be copied: select the text and copy it'
            : ''}
      </span>
    </>
  )
}

/** The clipboard is there on https and localhost only; elsewhere the old way still works in most browsers. */
async function write(text: string, button: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'visually-hidden'
    button?.after(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    button?.focus()
    return done
  }
}

/** A command or a secret to take along, with its button. */
export function CopyBox({ text, label }: { text: string; label: string }) {
  return (
    <div class="copy-box">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and whoever uses keys must be able to */}
      <section tabIndex={0} aria-label={label}>
        <pre>
          <code>{text}</code>
        </pre>
      </section>
      <Copy text={text} label={`Copy: ${label}`} />
    </div>
  )
}
