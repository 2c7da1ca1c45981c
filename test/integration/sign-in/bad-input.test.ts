// Every field of every body, query and path, in every wrong form: 400 that names it, and never a fault.
import t, { type Test } from 'tap'
import { accepts, mainBranch, propertiesOf, requiredOf, sample } from '../../support/json-schema.js'
import { type Operation, operations, type Schema } from '../../support/openapi.js'
import type { Carried, Reply } from '../../support/raw-client.js'
import { type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'

const prefixes = ['/api/auth', '/api/apikeys', '/api/users', '/api/organisations', '/api/settings', '/api/audit']
const nobodysId = '00000000-0000-4000-8000-000000000000'
const megabyte = 'x'.repeat(1024 * 1024)

let panel: SignInPanel
let routes: readonly Operation[]

t.before(async () => {
  panel = await startSignInPanel(t)
  const isOurs = ({ path }: Operation) => prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))
  routes = (await operations(panel)).filter(isOurs)
})

/** What a field may turn into. */
const forms: Record<string, unknown> = {
  array: ['x'],
  'empty array': [],
  'array in array': [['x']],
  object: { toString: 'x' },
  'empty object': {},
  null: null,
  true: true,
  number: 7.5,
  'large number': 1e308,
  'empty text': '',
  NUL: 'a\0b',
  'lone surrogate': 'a\ud800b',
  '1 MB': megabyte,
}

interface Mutant {
  readonly name: string
  /** JSON pointer of what is wrong. */
  readonly path: string
  readonly body: unknown
}

/** Bodies with one field wrong each, in every depth. */
function mutantsOf(schema: Schema, wrap: (value: unknown) => unknown, path = ''): Mutant[] {
  const own = mainBranch(schema)
  if (own['type'] === 'array') {
    const items = (own['items'] ?? {}) as Schema
    const wrong = Object.entries(forms).filter(([, value]) => !accepts(items, value))
    return wrong.map(([name, value]) => ({ name: `${path}/0 ${name}`, path: `${path}/0`, body: wrap([value]) }))
  }
  if (own['type'] !== 'object') return []
  const valid = sample(own) as Record<string, unknown>
  const mutants: Mutant[] = []
  for (const [key, property] of Object.entries(propertiesOf(own))) {
    const at = `${path}/${key}`
    const put = (value: unknown) => wrap({ ...valid, [key]: value })
    for (const [name, value] of Object.entries(forms)) {
      if (!accepts(property, value)) mutants.push({ name: `${at} ${name}`, path: at, body: put(value) })
    }
    mutants.push(...mutantsOf(property, put, at))
  }
  for (const key of requiredOf(own)) {
    const { [key]: _, ...rest } = valid
    mutants.push({ name: `${path}/${key} missing`, path: `${path}/${key}`, body: wrap(rest) })
  }
  const unknown = { ...valid, unknownField: 1 }
  if (!accepts(own, unknown))
    mutants.push({ name: `${path} unknown`, path: `${path}/unknownField`, body: wrap(unknown) })
  return mutants
}

const asAdmin = (more: Carried): Carried => ({ ip: panel.newIp(), bearer: panel.admin.token, ...more })
const fill = (path: string, value = nobodysId): string => path.replaceAll(/\{\w+\}/g, value)

/** What is wrong with an answer that should be 400 naming the field. */
function complaint({ status, body, text }: Reply, path: string): string | undefined {
  if (status !== 400) return `${status} ${text.slice(0, 200)}`
  const paths: string[] = (body.errors ?? []).map((error: { path: string }) => error.path)
  const named = paths.some((found) => found === path || found.startsWith(`${path}/`))
  return named ? undefined : `400 naming ${JSON.stringify(paths)} ${body.error}`
}

async function adminIsWell(t: Test): Promise<void> {
  const { status, body } = await panel.send('GET', '/api/auth/session', { bearer: panel.admin.token })
  t.equal(status, 200, 'the administrator’s session goes on')
  t.same(body.user?.permissions, ['*'], 'with all permissions')
}

t.test('each field of each body', async (t) => {
  const bodies = routes.filter(({ body }) => body !== undefined)
  t.ok(bodies.length >= 20, `${bodies.length} routes with a body`)
  for (const { method, path, body: schema } of bodies) {
    await t.test(`${method} ${path}`, async (t) => {
      const wrong: string[] = []
      const mutants = mutantsOf(schema as Schema, (value) => value)
      for (const mutant of mutants) {
        const said = complaint(await panel.send(method, fill(path), asAdmin({ body: mutant.body })), mutant.path)
        if (said) wrong.push(`${mutant.name}: ${said}`)
      }
      t.same(wrong, [], `${mutants.length} bodies`)
    })
  }
  await adminIsWell(t)
})

t.test('each setting', async (t) => {
  const { body: settings } = await panel.ok('GET', '/api/settings', asAdmin({}))
  const wrong: string[] = []
  for (const [section, values] of Object.entries(settings as Record<string, Record<string, unknown>>)) {
    for (const [field, present] of Object.entries(values)) {
      for (const [name, value] of Object.entries(forms)) {
        const isPossible = value === null || (typeof value === typeof present && typeof value !== 'number')
        if (isPossible && name !== '1 MB') continue
        const body = { [section]: { [field]: value } }
        const path = `/${section}/${field}`
        const said = complaint(await panel.send('PATCH', '/api/settings', asAdmin({ body })), path)
        if (said) wrong.push(`${path} ${name}: ${said}`)
      }
    }
    for (const [name, value] of Object.entries(forms)) {
      if (value === null || name.includes('object')) continue
      const said = complaint(
        await panel.send('PATCH', '/api/settings', asAdmin({ body: { [section]: value } })),
        `/${section}`,
      )
      if (said) wrong.push(`/${section} ${name}: ${said}`)
    }
    const unknown = { [section]: { unknownField: 1 } }
    const said = complaint(
      await panel.send('PATCH', '/api/settings', asAdmin({ body: unknown })),
      `/${section}/unknownField`,
    )
    if (said) wrong.push(`/${section} unknown: ${said}`)
  }
  const said = complaint(await panel.send('PATCH', '/api/settings', asAdmin({ body: { nothing: {} } })), '/nothing')
  if (said) wrong.push(`unknown section: ${said}`)
  t.same(wrong, [])
  t.same((await panel.ok('GET', '/api/settings', asAdmin({}))).body, settings, 'nothing has changed')
})

t.test('bodies that are no object', async (t) => {
  const deep = `${'['.repeat(9_000)}${']'.repeat(9_000)}`
  const texts: Record<string, string> = {
    array: '[]',
    text: '"x"',
    number: '7',
    null: 'null',
    true: 'true',
    broken: '{"email":',
    'two values': '{}{}',
    'a byte order mark': '\ufeff[]',
    'single quotes': `{'email':'x'}`,
    'not JSON': 'email=x',
    NaN: '{"email":NaN}',
    deep,
    'deep in a field': `{"email":${deep},"name":${deep},"response":${deep}}`,
    __proto__: '{"__proto__":{"permissions":["*"]}}',
    'escaped __proto__': '{"\\u005f\\u005fproto\\u005f\\u005f":{}}',
    'constructor.prototype': '{"constructor":{"prototype":{"permissions":["*"]}}}',
    'many fields': JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, 1]))),
  }
  const wrong: string[] = []
  for (const { method, path } of routes.filter(({ body }) => body !== undefined)) {
    for (const [name, text] of Object.entries(texts)) {
      const raw = { type: 'application/json', text }
      const reply = await panel.send(method, fill(path), asAdmin({ raw }))
      if (reply.status !== 400) wrong.push(`${method} ${path} ${name}: ${reply.status} ${reply.text.slice(0, 200)}`)
    }
  }
  t.same(wrong, [])
  t.equal((Object.prototype as { permissions?: unknown }).permissions, undefined)
  await adminIsWell(t)
})

t.test('ids that are none', async (t) => {
  const ids: Record<string, string> = {
    NUL: '%00',
    'NUL in a UUID': `${nobodysId.slice(0, 35)}%00`,
    'long text': 'a'.repeat(5_000),
    unicode: encodeURIComponent('😀\u202e\ufeff'),
    'lone surrogate in bytes': '%ED%A0%80',
    'broken escape': '%zz',
    'overlong slash': '%c0%af',
    SQL: encodeURIComponent(`' OR 1=1; DROP TABLE users; --`),
    'SQL that sleeps': encodeURIComponent(`'||pg_sleep(10)||'`),
    pattern: '%25',
    braces: `%7B${nobodysId}%7D`,
    'UUID without hyphens': nobodysId.replaceAll('-', ''),
    'UUID and more': `${nobodysId}x`,
    number: '1',
    negative: '-1',
    __proto__: '__proto__',
    constructor: 'constructor',
    'path upwards': '..%2f..%2fsettings',
  }
  const wrong: string[] = []
  for (const { method, path, body: schema } of routes.filter(({ parameters }) => parameters.length > 0)) {
    for (const [name, id] of Object.entries(ids)) {
      const body = schema && { ...(sample(schema) as object), ...oneMore(schema) }
      const reply = await panel.send(method, fill(path, id), asAdmin({ body }))
      if (![400, 404, 414].includes(reply.status)) {
        wrong.push(`${method} ${path} ${name}: ${reply.status} ${reply.text.slice(0, 200)}`)
      }
    }
  }
  t.same(wrong, [])
  await adminIsWell(t)
})

/** A field for bodies that want at least one. */
function oneMore(schema: Schema): object {
  if (requiredOf(schema).length > 0) return {}
  const [entry] = Object.entries(propertiesOf(schema)).filter(([key]) => key === 'name')
  return entry ? { [entry[0]]: 'a name' } : {}
}

t.test('each field of each query', async (t) => {
  const values: Record<string, string> = {
    empty: '',
    NUL: '%00',
    'NUL inside': 'a%00b',
    'long text': 'a'.repeat(10_000),
    unicode: encodeURIComponent('😀\u202e'),
    'broken escape': '%zz',
    'lone surrogate in bytes': '%ED%A0%80',
    negative: '-1',
    'too large': '99999999999999999999',
    fraction: '1.5',
    exponent: '1e3',
    hexadecimal: '0x10',
    infinite: 'Infinity',
    NaN: 'NaN',
    boolean: 'true',
    SQL: encodeURIComponent(`1; DROP TABLE users`),
    object: '[object%20Object]',
  }
  const wrong: string[] = []
  for (const { method, path, query } of routes.filter((route) => route.method === 'GET')) {
    for (const field of query) {
      const isNumber = ['limit', 'offset', 'before'].includes(field)
      const check = async (name: string, search: string, mustFail: boolean) => {
        const reply = await panel.send(method, `${fill(path)}?${search}`, asAdmin({}))
        const said = complaint(reply, `/${field}`)
        const isFine = said === undefined || (!mustFail && reply.status === 200)
        if (!isFine) wrong.push(`${method} ${path}?${field} ${name}: ${said}`)
      }
      for (const [name, value] of Object.entries(values)) {
        await check(name, `${field}=${value}`, isNumber || name.startsWith('NUL') || name === 'long text')
      }
      await check('twice', `${field}=1&${field}=2`, true)
    }
    for (const search of ['unknown=1', '__proto__=1', '__proto__[x]=1', 'constructor=1', 'limit[]=1', 'limit[$ne]=1']) {
      const { status, text } = await panel.send(method, `${fill(path)}?${search}`, asAdmin({}))
      if (status >= 500) wrong.push(`${method} ${path}?${search}: ${status} ${text.slice(0, 200)}`)
      if (query.length > 0 && status < 300) wrong.push(`${method} ${path}?${search}: ${status}`)
    }
  }
  t.same(wrong, [])
})

t.test('names, e-mails and passwords at the edges', async (t) => {
  const make = async (fields: object) => {
    const email = `edge-${Math.random().toString(36).slice(2)}@example.com`
    const body = { email, password: 'long enough a password', ...fields }
    return panel.send('POST', '/api/users', asAdmin({ body }))
  }
  const cases: [name: string, fields: object, status: number][] = [
    ['password of 7', { password: 'seven77' }, 400],
    ['password of 8', { password: 'eight888' }, 201],
    ['password of 256', { password: 'p'.repeat(256) }, 201],
    ['password of 257', { password: 'p'.repeat(257) }, 400],
    ['password of 8 code points', { password: '😀'.repeat(8) }, 201],
    ['password of 4 code points, 8 units', { password: '😀'.repeat(4) }, 400],
    ['password with NUL', { password: 'long enough\0password' }, 400],
    ['e-mail without @', { email: 'nobody' }, 400],
    ['e-mail with two @ after NFKC', { email: 'a\uff20b@example.com' }, 400],
    ['e-mail with a line break', { email: 'a@example.com\r\nBcc: b@example.com' }, 400],
    ['e-mail with a space', { email: 'a b@example.com' }, 400],
    ['e-mail too long', { email: `${'a'.repeat(250)}@example.com` }, 400],
    ['name with a line break', { name: 'a\nb' }, 400],
    ['permission that is none', { permissions: ['servers:read:'] }, 400],
    ['permission with NUL', { permissions: ['servers:\0'] }, 400],
    ['permission twice', { permissions: ['a:b', 'a:b'] }, 400],
    ['too many permissions', { permissions: Array.from({ length: 1_000 }, (_, index) => `a:b${index}`) }, 400],
  ]
  for (const [name, fields, expected] of cases) {
    const reply = await make(fields)
    t.equal(reply.status, expected, name)
    if (expected === 400) t.equal(complaint(reply, `/${Object.keys(fields)[0]}`), undefined, `${name}: is named`)
  }
  t.notMatch((await make({ password: 'secret7' })).text, /secret7/, 'a refused password is not repeated')
})

t.test('passwords are compared in NFKC, e-mails without case', async (t) => {
  const composed = 'Pässwörd ﬁne ①②③'
  const email = 'Grüße@Example.com'
  await panel.ok('POST', '/api/users', asAdmin({ body: { email, password: composed } }))
  for (const password of [
    composed,
    composed.normalize('NFKC'),
    composed.normalize('NFKD'),
    composed.normalize('NFD'),
  ]) {
    t.equal((await panel.login(email, password)).status, 200)
  }
  t.equal((await panel.login('GRÜSSE@example.com', composed)).status, 401, 'ß is not ss')
  t.equal((await panel.login('grüße@EXAMPLE.com', composed)).status, 200)
  t.equal((await panel.login(email, composed.toLowerCase())).status, 401)
})
