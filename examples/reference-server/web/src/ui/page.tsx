import { type ComponentChildren, createContext } from 'preact'
import { useContext, useEffect, useRef } from 'preact/hooks'

/** Whether somebody has just come here from another page of the dashboard. */
export const Arrival = createContext({ current: false })

interface PageProps {
  readonly title: string
  /** What can be done on the page, beside its title. */
  readonly actions?: ComponentChildren
  readonly children: ComponentChildren
}

/** A page of the dashboard: its title, in the browser's tab too. */
export function Page({ title, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  const arrival = useContext(Arrival)
  useEffect(() => {
    document.title = `${title} · Sallyport`
    // A page that changed is announced. Not the first one: that is the browser's.
    if (arrival.current) heading.current?.focus()
    arrival.current = false
  }, [title, arrival])
  return (
    <div class="page">
      <header class="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div class="hstack">{actions}</div>}
      </header>
      {children}
    </div>
  )
}

interface SectionProps {
  readonly title: string
  readonly hint?: ComponentChildren
  readonly actions?: ComponentChildren
  readonly children: ComponentChildren
}

/** A part of a page, in a box of its own. */
export function Section({ title, hint, actions, children }: SectionProps) {
  return (
    <section class="card section">
      <header class="section-head">
        <div>
          <h2>{title}</h2>
          {hint && <p class="text-light">{hint}</p>}
        </div>
        {actions && <div class="hstack">{actions}</div>}
      </header>
      {children}
    </section>
  )
}
