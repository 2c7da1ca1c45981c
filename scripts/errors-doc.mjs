// Prints the tables of docs/errors.md from the built catalogues: node scripts/errors-doc.mjs > docs/errors.md
import { existsSync } from 'node:fs'

const catalogues = [
  ['core', 'coreErrors'],
  ['auth', 'authErrors'],
  ['tunnel', 'tunnelErrors'],
]
console.log(`# Errors

Every error that Sallyport throws on purpose has a code that stays; the words may change. Over HTTP an error is
\`application/problem+json\` (RFC 9457), where \`error\` is the third column. A message with status 500 is for the log
and never leaves the server. This page is printed by \`node scripts/errors-doc.mjs\`; a test holds it against the catalogues.`)
for (const [name, key] of catalogues) {
  const entry = new URL(`../packages/${name}/dist/index.js`, import.meta.url)
  const catalogue = existsSync(entry) ? (await import(entry))[key] : undefined
  if (!catalogue) continue
  console.log(`\n## @sallyport/${name}\n\n| code | status | error | message |\n| --- | --- | --- | --- |`)
  for (const { code, definition } of Object.values(catalogue)) {
    console.log(`| \`${code}\` | ${definition.status} | \`${definition.error}\` | ${definition.message} |`)
  }
}
