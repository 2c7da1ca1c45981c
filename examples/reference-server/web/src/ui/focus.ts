/** Gives the focus back to what had it; to the page's title where that is gone: else a keyboard would begin at the top. */
export function focusAgain(before: Element | null | undefined): void {
  const { activeElement } = document
  if (activeElement !== null && activeElement !== document.body) return
  const target = before?.isConnected && before !== document.body ? before : document.querySelector('h1')
  if (target instanceof HTMLElement) target.focus({ preventScroll: true })
}
