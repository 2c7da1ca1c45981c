import width from 'fast-string-width'

/** Cuts a text without escape sequences to so many columns; what was cut ends with `…`. */
export function fit(text: string, columns: number): string {
  if (width(text) <= columns) return text
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  let kept = ''
  let used = 0
  for (const { segment } of segmenter.segment(text)) {
    const next = used + width(segment)
    if (next > columns - 1) break
    kept += segment
    used = next
  }
  return columns > 0 ? `${kept}…` : ''
}
