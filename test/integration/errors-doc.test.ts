import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../support/program.js'

t.test('docs/errors.md says what the catalogues say', async (t) => {
  const printed = execFileSync(process.execPath, [join(root, 'scripts/errors-doc.mjs')], { encoding: 'utf8' })
  const kept = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  t.equal(kept, printed, 'write it anew: node scripts/errors-doc.mjs > docs/errors.md')
  for (const code of ['CORE_ERR_NOT_FOUND', 'AUTH_ERR_LOGIN_REFUSED', 'TUNNEL_ERR_QUOTA_EXCEEDED']) {
    t.match(kept, new RegExp(`^\\| \`${code}\` \\|`, 'm'))
  }
})
