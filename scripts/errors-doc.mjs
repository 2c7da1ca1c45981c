// Prints the tables of docs/errors.md from the built catalogues: node scripts/errors-doc.mjs > docs/errors.md
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
  const catalogue = (await import(`../packages/${name}/dist/index.js`))[key]
  console.log(`\n## @sallyport/${name}\n\n| code | status | error | message |\n| --- | --- | --- | --- |`)
  for (const { code, definition } of Object.values(catalogue)) {
    console.log(`| \`${code}\` | ${definition.status} | \`${definition.error}\` | ${definition.message} |`)
  }
}

const { RELAY_ERRORS } = await import('../packages/relay/dist/index.js')
console.log('\n## @sallyport/relay\n\nIt answers no HTTP.\n\n| code | message |\n| --- | --- |')
for (const [code, message] of Object.entries(RELAY_ERRORS)) console.log(`| \`${code}\` | ${message} |`)
