import { basename } from 'node:path'

/** Of the installed command; every text is written with it. */
export const COMMAND = 'sallyport'

/** How people call what runs from this file: the one file that a panel hands out is given to Node. */
export function commandName(file: string | undefined): string {
  const name = basename(file ?? '')
  return /^[\w.-]+\.mjs$/.test(name) ? `node ${name}` : COMMAND
}

/** Command lines in a text (in quotes, or behind a prompt) as one has to type them here. */
export function asCalled(text: string, name: string): string {
  return name === COMMAND ? text : text.replaceAll(/(?<='|\$ (?:\w+=\S+ )?)sallyport(?= )/g, () => name)
}
