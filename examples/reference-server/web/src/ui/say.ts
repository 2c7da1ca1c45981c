import { toast } from '@knadh/oat/js/toast.js'

/** Tells what has been done, for a few seconds. What a person must see goes on the page instead. */
export function say(message: string, variant: 'success' | 'danger' | 'info' = 'success'): void {
  const element = toast(message, '', {
    variant,
    placement: 'bottom-right',
    duration: variant === 'danger' ? 8_000 : 4_000,
  })
  // An <output> is polite: screen readers tell it when they are done with what they read.
  element.setAttribute('aria-live', 'polite')
}
