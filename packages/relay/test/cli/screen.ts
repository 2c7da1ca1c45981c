/** What a terminal shows: enough of ECMA-48 for programs that redraw lines. Wide characters count as one column. */
export interface Screen {
  write(text: string): void
  resize(columns: number, rows: number): void
  /** The visible lines, without trailing blanks and without empty lines at the end. */
  lines(): string[]
}

const ESCAPE = '\u001b'
const BELL = '\u0007'
/** One escape sequence (CSI, OSC, two characters), or one control character, or text without any. */
const PIECES = new RegExp(
  `${ESCAPE}\\[([?\\d;]*)([A-Za-z])|${ESCAPE}\\][^${BELL}]*${BELL}|${ESCAPE}[^[\\]]|\\p{Cc}|\\P{Cc}+`,
  'gu',
)

/** What sets colours, bold and the like (SGR), its parameters in the first group. */
export const COLOURS: RegExp = new RegExp(`${ESCAPE}\\[([\\d;]*)m`)

export function createScreen(columns: number, rows: number): Screen {
  let width = columns
  let height = rows
  let cells: string[][] = [[]]
  let x = 0
  let y = 0

  function line(at: number): string[] {
    while (cells.length <= at) cells.push([])
    return cells[at] as string[]
  }

  function down(): void {
    y += 1
    line(y)
    if (y < height) return
    cells = cells.slice(y - height + 1)
    y = height - 1
  }

  function put(character: string): void {
    if (x >= width) {
      x = 0
      down()
    }
    const row = line(y)
    while (row.length < x) row.push(' ')
    row[x] = character
    x += 1
  }

  function control(parameters: string, final: string): void {
    const [first = '', second = ''] = parameters.split(';')
    const count = Number(first) || 1
    if (final === 'A') y = Math.max(0, y - count)
    if (final === 'B') y = Math.min(height - 1, y + count)
    if (final === 'C') x = Math.min(width - 1, x + count)
    if (final === 'D') x = Math.max(0, Math.min(x, width - 1) - count)
    if (final === 'G') x = Math.min(width, count) - 1
    if (final === 'H') [x, y] = [(Number(second) || 1) - 1, count - 1]
    if (final === 'K' && first === '2') cells[y] = []
    if (final === 'K' && (first === '' || first === '0')) cells[y] = line(y).slice(0, x)
    if (final === 'J' && first === '2') cells = [[]]
    if (final === 'J' && (first === '' || first === '0')) {
      cells = cells.slice(0, y + 1)
      cells[y] = line(y).slice(0, x)
    }
  }

  return {
    write(text) {
      for (const [piece, parameters = '', final] of text.matchAll(PIECES)) {
        if (final !== undefined) control(parameters, final)
        else if (piece === '\n') down()
        else if (piece === '\r') x = 0
        else if (piece === '\b') x = Math.max(0, x - 1)
        else if (piece >= ' ') for (const character of piece) put(character)
      }
    },
    resize(newColumns, newRows) {
      width = newColumns
      height = newRows
      const over = Math.max(0, cells.length - height)
      cells = cells.slice(over)
      y = Math.max(0, y - over)
    },
    lines() {
      const lines = cells.map((row) =>
        Array.from(row, (cell) => cell ?? ' ')
          .join('')
          .trimEnd(),
      )
      while (lines.at(-1) === '') lines.pop()
      return lines
    },
  }
}
