import t from 'tap'
import { checkLocalHost } from '../dist/allocations/local-host.js'

const good = [
  'localhost',
  '127.0.0.1',
  '::1',
  'fd00::1',
  'game.lan',
  'my_box',
  'a-b.c-d',
  'host.',
  '10.0.0.255',
  'x'.repeat(63),
]
const bad = [
  '',
  ' ',
  '-a',
  'a-',
  'a..b',
  '.',
  'a b',
  'a\0b',
  'a/b',
  'a:1',
  '[::1]',
  'fe80::1%eth0',
  '999.1.1.1',
  '1.2.3',
  '127.1',
  '0x7f000001',
  '2130706433',
  'x'.repeat(64),
  `${'a.'.repeat(127)}a`,
  'käse.lan',
  'http://localhost',
  'a\n',
]

for (const host of good) t.test(`takes ${host}`, async (t) => t.equal(checkLocalHost(host), host))
for (const host of bad) {
  t.test(`refuses ${JSON.stringify(host)}`, async (t) => {
    t.throws(() => checkLocalHost(host), { code: 'TUNNEL_ERR_LOCAL_HOST_INVALID' })
  })
}
