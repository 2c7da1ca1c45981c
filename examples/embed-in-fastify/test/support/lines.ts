import { readdir, readFile } from 'node:fs/promises'

/** The kernel that `sallyport.ts` makes, where the panel uses it. */
const use = /\bsallyport\.\w|'\.{1,2}\/sallyport\.js'/

/** The lines of code that embedding costs: the whole of `sallyport.ts`, and what the panel's own files have of it. @param source its folder */
export async function embeddingLines(source: URL): Promise<string[]> {
  const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith('.ts'))
  const found = await Promise.all(
    files.map(async (name) => {
      const lines = (await readFile(new URL(name, source), 'utf8')).split('\n').filter(isCode)
      return name === 'sallyport.ts' ? lines : lines.filter((line) => use.test(line))
    }),
  )
  return found.flat()
}

function isCode(line: string): boolean {
  return line.trim() !== '' && !/^\s*(\/\/|\/?\*)/.test(line)
}
