import type { ComponentChildren } from 'preact'

interface BadgeProps {
  readonly variant?: 'success' | 'warning' | 'danger' | 'secondary'
  readonly children: ComponentChildren
  readonly title?: string
}

/** A state in a word. */
export function Badge({ variant = 'secondary', children, title }: BadgeProps) {
  return (
    <span class="badge" data-variant={variant} title={title}>
      {children}
    </span>
  )
}
