import fc from 'fast-check'
import t from 'tap'
import { createAllowList, LOOPBACK_RULES, parseAllowRule } from '../../dist/target/allow-rule.js'

t.test('rules as they are written', async (t) => {
  t.same(parseAllowRule('192.168.1.5:25565'), { host: '192.168.1.5', firstPort: 25565, lastPort: 25565 })
  t.same(parseAllowRule('LocalHost:1000-2000'), { host: 'localhost', firstPort: 1000, lastPort: 2000 })
  t.same(parseAllowRule('[::1]:80'), { host: '::1', firstPort: 80, lastPort: 80 })
  t.same(parseAllowRule('10.0.0.0/8:1-65535'), { host: '10.0.0.0/8', firstPort: 1, lastPort: 65535 })
  t.same(parseAllowRule('[fd00::/8]:80'), { host: 'fd00::/8', firstPort: 80, lastPort: 80 })
  t.same(parseAllowRule('game.example.org.:80').host, 'game.example.org')
})

t.test('nonsense is refused by name', async (t) => {
  const bad = ['', 'localhost', ':80', 'a:0', 'a:65536', 'a:9-8', 'a:1-2-3', '::1:80', '[1.2.3.4]:80', '10.0.0.0/33:1']
  for (const text of [...bad, '[fd00::/129]:1', 'a b:1', 'a/8:1', '*:80', '256.1.1.1:80', 'x'.repeat(400), '-a:1'])
    t.throws(() => parseAllowRule(text), { code: 'RELAY_ERR_INVALID_ALLOW_RULE' }, text.slice(0, 20))
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      try {
        parseAllowRule(text)
        return true
      } catch (error) {
        return (error as { code?: string }).code === 'RELAY_ERR_INVALID_ALLOW_RULE'
      }
    }),
  )
})

t.test('loopback is the default', async (t) => {
  const list = createAllowList(LOOPBACK_RULES)
  t.ok(list.allowsAddress('127.0.0.1', 1))
  t.ok(list.allowsAddress('127.200.3.4', 65535))
  t.ok(list.allowsAddress('::1', 80))
  t.ok(list.allowsAddress('::ffff:127.0.0.1', 80))
  t.ok(list.allowsName('localhost', 80))
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '::2', '::ffff:10.0.0.1', '169.254.169.254'])
    t.notOk(list.allowsAddress(address, 80), address)
})

t.test('given rules narrow and widen', async (t) => {
  const list = createAllowList(['127.0.0.1:25565', '192.168.1.0/24:1000-2000', 'nas.lan:80'].map(parseAllowRule))
  t.ok(list.allowsAddress('127.0.0.1', 25565))
  t.notOk(list.allowsAddress('127.0.0.1', 25566))
  t.notOk(list.allowsAddress('127.0.0.2', 25565))
  t.ok(list.allowsAddress('192.168.1.77', 1500))
  t.notOk(list.allowsAddress('192.168.2.77', 1500))
  t.ok(list.allowsName('nas.lan', 80))
  t.notOk(list.allowsName('nas.lan', 81))
  t.notOk(list.allowsName('localhost', 25565))
  t.notOk(createAllowList([]).allowsPort(80), 'an empty list allows nothing')
})
