/**
 * To be called when a form is sent: gives what shows its fields as they have been saved (addresses in one spelling, say), once they are drawn.
 * The focus stays, and so does what was typed meanwhile.
 */
export function resetLater(form: HTMLFormElement): () => void {
  const sent = contentOf(form)
  return () =>
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        if (contentOf(form) === sent) form.reset()
      }),
    )
}

function contentOf(form: HTMLFormElement): string {
  return JSON.stringify([...new FormData(form)])
}
