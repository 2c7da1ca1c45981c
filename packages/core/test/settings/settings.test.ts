import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import t from 'tap'
import {
  Audit,
  audit,
  Database,
  database,
  definePlugin,
  Features,
  type Plugin,
  redis,
  Settings,
  type SettingsHandle,
  settings,
} from '../../dist/index.js'
import { mergePatch } from '../../dist/settings/merge-patch.js'
import {
  createTestKernel,
  missingPostgres,
  missingRedis,
  skipWithout,
  startPostgres,
  startRedis,
} from '../../dist/testing/index.js'
import { eventually } from '../support/eventually.js'
import { needs } from '../support/needs.js'
import { rejection } from '../support/reject.js'
import { as, signIn } from '../support/sign-in.js'

// Making a database on disk takes seconds, and more on a busy machine.
t.setTimeout(180_000)

const quotas = Type.Object(
  {
    perUser: Type.Integer({ default: 10, minimum: 0 }),
    perOrganisation: Type.Integer({ default: 50, minimum: 0 }),
    names: Type.Array(Type.String(), { default: [] }),
  },
  { additionalProperties: false },
)
interface Quotas {
  readonly perUser: number
  readonly perOrganisation: number
  readonly names: readonly string[]
}

/** Defines the section `quotas`, and hands its handle out. */
function withQuotas(use: (handle: SettingsHandle<Quotas>) => void = () => {}, initial: Partial<Quotas> = {}): Plugin {
  return definePlugin({
    name: 'test-quotas',
    version: '1.0.0',
    requires: { settings: Settings },
    async setup({ services }) {
      use(await services.settings.define({ name: 'quotas', schema: quotas, initial: initial as object }))
    },
  })()
}

t.test('on one instance', async (t) => {
  let handle: SettingsHandle<Quotas> | undefined
  const plugins = [withQuotas((given) => (handle = given)), settings(), audit(), signIn(), needs(Features, Audit)]
  await using kernel = await createTestKernel({ plugins })
  const service = kernel.get(Settings)
  const features = kernel.get(Features)
  const initial = { features: { tunnels: true }, quotas: { perUser: 10, perOrganisation: 50, names: [] } }
  t.same(service.all(), initial)

  await t.test('a change is merged, in force at once, and told', async (t) => {
    const told: unknown[] = []
    const off = handle?.onChange((value, previous) => void told.push([value.perUser, previous.perUser]))
    const after = await service.patch({ quotas: { perUser: 20, names: ['a'] } })
    t.same(after, { ...initial, quotas: { perUser: 20, perOrganisation: 50, names: ['a'] } })
    t.equal(handle?.value.perUser, 20)
    t.ok(Object.isFrozen(handle?.value.names))
    await service.patch({ quotas: { perUser: 20 } })
    await service.patch({ quotas: { perUser: null, names: null } })
    t.same(service.all(), initial)
    t.same(told, [
      [20, 10],
      [10, 20],
    ])
    off?.()
    await service.patch({ quotas: { perUser: 1 } })
    await service.patch({ quotas: null, features: {} })
    t.equal(handle?.value.perUser, 1, 'a section is not taken away')
    await service.patch({ quotas: { perUser: null } })
    t.equal(told.length, 2)
  })

  await t.test('what is not valid is refused whole, by field', async (t) => {
    const wrong: [unknown, string][] = [
      [{ quotas: { perUser: '20' } }, '/quotas/perUser'],
      [{ quotas: { perUser: -1 } }, '/quotas/perUser'],
      [{ quotas: { perUser: 1, nonsense: 2 } }, '/quotas/nonsense'],
      [{ quotas: { perUser: 1 }, features: { tunnels: 'false' } }, '/features/tunnels'],
      [{ features: { unknown: true } }, '/features/unknown'],
      [{ nonsense: {} }, '/nonsense'],
      [{ quotas: [] }, '/quotas'],
      [{ quotas: 'x' }, '/quotas'],
      [JSON.parse('{"__proto__":{"polluted":true}}'), '/__proto__'],
      [JSON.parse('{"quotas":{"__proto__":{"polluted":true}}}'), '/quotas/__proto__'],
      [JSON.parse('{"quotas":{"constructor":{"prototype":{"polluted":true}}}}'), '/quotas/constructor'],
      [[], ''],
      ['x', ''],
      [null, ''],
    ]
    for (const [change, path] of wrong) {
      const error = await rejection(service.patch(change))
      t.equal(error.code, 'CORE_ERR_SETTINGS_INVALID')
      t.equal(error.status, 400)
      t.equal(error.errors?.[0]?.path, path, JSON.stringify(change))
    }
    t.same(service.all(), initial)
    t.notOk('polluted' in {})
  })

  await t.test('changes at once lose nothing of each other', async (t) => {
    await Promise.all([
      service.patch({ quotas: { perUser: 11 } }),
      service.patch({ quotas: { perOrganisation: 51 } }),
      service.patch({ quotas: { names: ['x'] } }),
      service.patch({ features: { tunnels: false } }),
    ])
    const expected = { features: { tunnels: false }, quotas: { perUser: 11, perOrganisation: 51, names: ['x'] } }
    t.same(service.all(), expected)
    await service.patch({ quotas: { perUser: 10, perOrganisation: 50, names: [] }, features: { tunnels: true } })
  })

  await t.test('a flag is asked, asserted and watched', async (t) => {
    const told: unknown[] = []
    const off = features.onChange((flag, enabled) => void told.push([flag, enabled]))
    t.equal(features.isEnabled('tunnels'), true)
    t.equal(features.isEnabled('toString'), false)
    features.assertEnabled('tunnels')
    await service.patch({ features: { tunnels: false } })
    t.throws(() => features.assertEnabled('tunnels'), { code: 'CORE_ERR_FEATURE_DISABLED', status: 403 })
    await service.patch({ features: { tunnels: true } })
    off()
    t.same(told, [
      ['tunnels', false],
      ['tunnels', true],
    ])
  })

  await t.test('a handler that fails harms nobody', async (t) => {
    const off = handle?.onChange(() => {
      throw new Error('on purpose')
    })
    await service.patch({ quotas: { perUser: 12 } })
    off?.()
    await service.patch({ quotas: { perUser: 10 } })
    t.equal(kernel.log.lines.filter(({ msg }) => msg === 'a handler of changed settings failed').length, 1)
  })

  await t.test('the routes are for those who may change settings, and changes are recorded', async (t) => {
    t.equal((await kernel.fetch('/api/settings')).status, 401)
    t.equal((await kernel.fetch('/api/settings', { headers: as('settings:read') })).status, 403)
    const read = await kernel.fetch('/api/settings', { headers: as('settings:write') })
    t.same(await read.json(), initial)
    const patch = (json: unknown): Promise<Response> =>
      kernel.fetch('/api/settings', { method: 'PATCH', json, headers: as('*', 'audit:read') })
    const changed = await patch({ features: { tunnels: false }, quotas: { perUser: null } })
    t.equal(changed.status, 200)
    t.match(await changed.json(), { features: { tunnels: false } })
    t.equal(features.isEnabled('tunnels'), false)
    const wrong = await patch({ features: { tunnels: 'true' } })
    t.equal(wrong.status, 400)
    t.match(await wrong.json(), { error: 'settings_invalid', errors: [{ path: '/features/tunnels' }] })
    for (const body of [[], 'x', 7, null]) t.equal((await patch(body)).status, 400, JSON.stringify(body))
    t.equal((await patch({ features: { pad: 'x'.repeat(1_000_000) } })).status, 400, 'however long it is')
    const recorded = await kernel.fetch('/api/audit?action=settings.changed', { headers: as('audit:read') })
    t.match(await recorded.json(), {
      entries: [{ actor: { id: 'user-1', name: 'Ada' }, data: { change: { features: { tunnels: false } } } }],
      next: null,
    })
  })
})

t.test('first values', async (t) => {
  await t.test('come from the host, then the plugin, then the schema', async (t) => {
    const plugins = [
      withQuotas(undefined, { perUser: 5, perOrganisation: 6 }),
      settings({ initial: { features: { tunnels: false }, quotas: { perUser: 7 } } }),
      needs(Features),
    ]
    await using kernel = await createTestKernel({ plugins })
    t.same(kernel.get(Settings).all(), {
      features: { tunnels: false },
      quotas: { perUser: 7, perOrganisation: 6, names: [] },
    })
  })
  await t.test('are refused when they are wrong', async (t) => {
    for (const initial of [{ features: { tunnels: 1 } }, { features: { other: true } }, { nobody: { a: 1 } }]) {
      const error = await rejection(createTestKernel({ plugins: [settings({ initial }), needs(Features)] }))
      t.equal(error.code, 'CORE_ERR_CONFIG_INVALID', JSON.stringify(initial))
    }
  })
  await t.test('are no more than that', async (t) => {
    const dataDir = t.testdir()
    const start = (tunnels: boolean) =>
      createTestKernel({
        plugins: [database({ dataDir }), settings({ initial: { features: { tunnels } } }), needs(Features)],
      })
    const first = await start(false)
    await first.get(Settings).patch({ features: { tunnels: true } })
    await first.stop()
    await using second = await start(false)
    t.equal(second.get(Features).isEnabled('tunnels'), true)
  })
})

t.test('what the database has and the schema does not know is passed over', async (t) => {
  const spoil = definePlugin({
    name: 'test-a-spoil',
    version: '1.0.0',
    requires: { database: Database },
    migrations: [
      {
        name: '0001',
        up: ({ sql }) =>
          sql(`CREATE TABLE core_settings (section text PRIMARY KEY, value jsonb NOT NULL,
            revision bigint NOT NULL DEFAULT 1, updated_at timestamptz NOT NULL DEFAULT now());
            INSERT INTO core_settings (section, value) VALUES
              ('quotas', '{"perUser": 3, "perOrganisation": "many", "old": true}'), ('features', '[]'), ('gone', '{}');
            INSERT INTO sallyport_migrations VALUES ('@sallyport/core.settings', '0001-create-settings')`),
      },
    ],
    setup() {},
  })
  const dataDir = t.testdir()
  await (await createTestKernel({ http: false, plugins: [database({ dataDir }), spoil()] })).stop()
  const plugins = [database({ dataDir }), settings(), withQuotas(), needs(Features)]
  await using kernel = await createTestKernel({ plugins })
  const { all, patch } = kernel.get(Settings)
  t.same(all(), { features: { tunnels: true }, quotas: { perUser: 3, perOrganisation: 50, names: [] } })
  await patch({ quotas: { perUser: 4 } })
  t.match(all(), { quotas: { perUser: 4, perOrganisation: 50 } })
})

t.test(
  'between instances',
  {
    skip: skipWithout('Postgres', missingPostgres()) || skipWithout('Redis', missingRedis()),
  },
  async (t) => {
    const [postgres, cache] = [await startPostgres(), await startRedis()]
    t.teardown(() => Promise.all([postgres[Symbol.asyncDispose](), cache[Symbol.asyncDispose]()]))
    const start = () =>
      createTestKernel({
        plugins: [
          database({ url: postgres.url }),
          redis({ url: cache.url }),
          settings(),
          withQuotas(),
          needs(Features),
        ],
      })
    const [one, two] = await Promise.all([start(), start()])
    t.teardown(() => Promise.all([one.stop(), two.stop()]))

    await t.test('a change is in force on all', async (t) => {
      const told: boolean[] = []
      two.get(Features).onChange((_flag, enabled) => void told.push(enabled))
      await one.get(Settings).patch({ features: { tunnels: false } })
      await eventually(() => !two.get(Features).isEnabled('tunnels'))
      await two.get(Settings).patch({ features: { tunnels: true } })
      await eventually(() => one.get(Features).isEnabled('tunnels'))
      t.same(told, [false, true])
    })

    await t.test('changes at once lose nothing of each other', async (t) => {
      const changes = Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? one : two)
          .get(Settings)
          .patch({ quotas: index % 2 === 0 ? { perUser: 100 + index } : { perOrganisation: 100 + index } }),
      )
      await Promise.all(changes)
      await eventually(() => JSON.stringify(one.get(Settings).all()) === JSON.stringify(two.get(Settings).all()))
      const { perUser, perOrganisation } = one.get(Settings).all()['quotas'] as Quotas
      t.ok(perUser >= 100 && perUser % 2 === 0, `${perUser}`)
      t.ok(perOrganisation >= 100 && perOrganisation % 2 === 1, `${perOrganisation}`)
    })

    await t.test('a change that was missed while Redis was away is found when it is back', async (t) => {
      await cache.stop()
      await one.get(Settings).patch({ features: { tunnels: false } })
      t.equal(two.get(Features).isEnabled('tunnels'), true)
      await cache.start()
      await eventually(() => !two.get(Features).isEnabled('tunnels'))
    })
  },
)

t.test('a merge patch', async (t) => {
  // The examples of RFC 7396, appendix A.
  const examples: [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [target, patch, result] of examples) t.same(mergePatch(target, patch), result)
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      const before = JSON.stringify([target, patch])
      const once = mergePatch(target, patch)
      const again = mergePatch(once, patch)
      return JSON.stringify([target, patch]) === before && JSON.stringify(once) === JSON.stringify(again)
    }),
  )
  t.notOk('polluted' in {})
})
