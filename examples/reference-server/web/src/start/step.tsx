import type { ComponentChildren } from 'preact'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'

export type StepState = 'done' | 'now' | 'later'

const words: Readonly<Record<StepState, string>> = { done: 'done', now: 'now', later: 'later' }
const Level = createContext<2 | 3>(2)

/** Steps one after the other. `level` is that of their headings. */
export function Steps({ level = 2, children }: { level?: 2 | 3; children: ComponentChildren }) {
  return (
    <Level.Provider value={level}>
      {/* biome-ignore lint/a11y/noRedundantRoles: without its numbers a browser takes it for no list */}
      <ol class="steps" role="list">
        {children}
      </ol>
    </Level.Provider>
  )
}

interface StepProps {
  readonly title: string
  readonly state: StepState
  /** What came out, of a step that is done; what it will be, of a later one. */
  readonly summary?: ComponentChildren
  /** What is to be done; shown while it is the step's turn. */
  readonly children: ComponentChildren
  /** It stays in sight when it is done. */
  readonly stays?: boolean
}

export function Step({ title, state, summary, children, stays }: StepProps) {
  const isShown = state === 'now' || (stays && state === 'done')
  const Heading = `h${useContext(Level)}` as 'h2' | 'h3'
  return (
    <li class="step" data-state={state} aria-current={state === 'now' ? 'step' : undefined}>
      <Heading>
        {title} <span class="visually-hidden">({words[state]})</span>
      </Heading>
      {!isShown && summary && <p class="text-light">{summary}</p>}
      {isShown && <div class="step-body">{children}</div>}
    </li>
  )
}

/** Something is awaited, and shows by itself. */
export function Awaited({ children }: { children: ComponentChildren }) {
  return (
    <p class="awaited" role="status">
      <span class="pulse" aria-hidden="true" />
      <span>{children}</span>
    </p>
  )
}
