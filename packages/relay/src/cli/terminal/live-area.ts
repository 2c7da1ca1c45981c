import width from 'fast-string-width'
import type { TerminalStream } from '../context.js'
import { fit } from './fit.js'
import { oneLine } from './output.js'

/** A piece of a line: strangers' text is made harmless, then cut, then painted. */
export interface Span {
  text: string
  paint?: (text: string) => string
}

export type Line = readonly Span[]

/** The last lines of a terminal, drawn again and again in one place; what is written above them scrolls by. */
export interface LiveArea {
  /** Shows these lines; at once, or after `redrawGapMs` since the last time. Lines that do not fit in number give way to a count. */
  show(lines: readonly Line[]): void
  /** Takes the area away for what `write` puts there. */
  above(write: () => void): void
  /** Takes it away for good. */
  end(): void
}

/** At most two redraws a second. */
const REDRAW_GAP_MS = 500
const DEFAULT_COLUMNS = 80
const DEFAULT_ROWS = 24
/** Fewer are of no use. */
const MIN_ROWS = 3
const ERASE_ROW = '\u001b[2K'
const ERASE_REST_OF_ROW = '\u001b[K'
const ERASE_BELOW = '\u001b[J'
const DOWN = '\u001b[B'

/**
 * The cursor stands below the area and is never hidden, no key is read and no signal caught: there is nothing to give back, however the process ends.
 * `rest` names how many lines were left out.
 */
export function createLiveArea(
  stream: TerminalStream,
  rest: (count: number) => string,
  redrawGapMs: number = REDRAW_GAP_MS,
): LiveArea {
  let wanted: readonly Line[] = []
  /** The lines as they were last put on the screen, and the widths of these. */
  let drawn: { text: string; widths: number[] } = { text: '', widths: [] }
  let drawnAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let ended = false

  function draw(): void {
    clearTimeout(timer)
    timer = undefined
    // A terminal that is halted (Ctrl-S) gets the newest when it goes on.
    if (ended || stream.writableLength > 0) return
    const next = layOut()
    if (next.text === drawn.text) return
    // Over what is there, so that nothing flickers; what was there and is longer goes with the rest of its row, or of the screen.
    const over = next.text.replaceAll('\n', `${ERASE_REST_OF_ROW}\n`)
    stream.write(`${toTop(rowsDrawn())}${over}${ERASE_BELOW}`)
    drawn = next
    drawnAt = performance.now()
  }

  function drawSoon(): void {
    const waitMs = drawnAt + redrawGapMs - performance.now()
    if (waitMs <= 0) draw()
    else timer ??= setTimeout(draw, waitMs).unref()
  }

  function layOut(): { text: string; widths: number[] } {
    // The last column stays free: some terminals wrap as soon as it is filled.
    const columns = Math.max(columnsOf(stream) - 1, 1)
    // One row is where the cursor stands, one of what came before stays in sight.
    const room = Math.max((stream.rows || DEFAULT_ROWS) - 2, MIN_ROWS)
    const left = wanted.length - room + 1
    const lines = wanted.length <= room ? wanted : [...wanted.slice(0, room - 1), [{ text: rest(left) }]]
    const cut = lines.map((line) => cutLine(line, columns))
    return { text: cut.map(({ text }) => `${text}\n`).join(''), widths: cut.map((line) => line.width) }
  }

  /** A terminal that has become narrower has wrapped what stood there; what has left it by the top is out of reach. */
  function rowsDrawn(): number {
    const columns = columnsOf(stream)
    const rows = drawn.widths.reduce((sum, one) => sum + Math.max(1, Math.ceil(one / columns)), 0)
    return Math.min(rows, Math.max((stream.rows || DEFAULT_ROWS) - 1, 1))
  }

  /**
   * Row by row: some terminals keep what is on the screen in their history when all of it is erased in one go. The cursor's own row too, where keys
   * (Ctrl-C) have left their mark.
   */
  function clear(): void {
    if (drawn.widths.length === 0) return
    const rows = rowsDrawn()
    drawn = { text: '', widths: [] }
    stream.write(`${toTop(rows)}${`${ERASE_ROW}${DOWN}`.repeat(rows)}${ERASE_ROW}${toTop(rows)}`)
  }

  stream.on('resize', drawSoon)

  return {
    show(lines) {
      wanted = lines
      drawSoon()
    },
    above(write) {
      if (ended) {
        write()
        return
      }
      const { text, widths } = drawn
      clear()
      write()
      if (text === '' || stream.writableLength > 0) return
      // As it was: what is new comes in its own time, and a flood of lines lays nothing out.
      stream.write(text)
      drawn = { text, widths }
    },
    end() {
      clear()
      ended = true
      clearTimeout(timer)
      stream.off('resize', drawSoon)
    },
  }
}

function toTop(rows: number): string {
  return rows === 0 ? '' : `\r\u001b[${rows}A`
}

/** What is not told, or told as none, is taken for the usual. */
export function columnsOf(stream: TerminalStream): number {
  return stream.columns || DEFAULT_COLUMNS
}

export function cutLine(line: Line, columns: number): { text: string; width: number } {
  let text = ''
  let used = 0
  for (const { text: raw, paint } of line) {
    const clean = oneLine(raw)
    const piece = fit(clean, columns - used)
    if (piece === '') {
      if (clean === '') continue
      break
    }
    text += paint === undefined ? piece : paint(piece)
    used += width(piece)
    if (piece !== clean) break
  }
  return { text, width: used }
}
