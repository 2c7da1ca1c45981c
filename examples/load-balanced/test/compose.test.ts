// There need be no Docker here: what compose.yaml says is held against what the script starts.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { BlockList } from 'node:net'
import { join, resolve } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { readEnvironment } from '../../reference-server/dist/environment.js'
import { panelVariables } from '../dist/panels.js'
import { relayArguments } from '../dist/relay.js'
import { folder } from './support/example.js'

interface Service {
  readonly image: string
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly command: string[]
  readonly environment: Record<string, string>
  readonly depends_on?: string[] | Record<string, { condition: string }>
  readonly volumes?: string[]
  readonly ports?: string[]
  readonly healthcheck?: object
}

interface Compose {
  readonly services: Record<string, Service>
  readonly volumes: Record<string, null>
  readonly networks: { readonly default: { readonly ipam: { readonly config: { readonly subnet: string }[] } } }
}

const root = join(folder, '..', '..')
const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
const text = await read('compose.yaml')
const { services, volumes, networks } = parse(text, { merge: true }) as Compose
const service = (name: string): Service => {
  const found = services[name]
  if (!found) throw new Error(`there is no service ${name}`)
  return found
}
const secret = 'a secret of forty characters or even more'
/** As Compose does it, with every secret set. */
const interpolate = (value: string): string =>
  value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, __, operator, word) =>
    operator === '-' ? word : secret.replaceAll(' ', '-'),
  )

const panels = ['panel-1', 'panel-2', 'panel-3']

t.test('three panels with one configuration, the same as the script gives', async (t) => {
  const shared = {
    ...{ publicUrl: 'http://localhost:8080', databaseUrl: '', redisUrl: '', secretKeys: '', adminPassword: '' },
    ...{ trustedProxies: '', portRange: '' },
  }
  for (const name of panels) {
    const { environment, command, build } = service(name)
    const names = ['HOST', 'PORT', 'DATA_DIR', 'LOG_LEVEL', ...Object.keys(panelVariables(shared))]
    t.same(Object.keys(environment).sort(), names.sort(), `${name} has the variables of the script's panels`)
    t.same(environment, service('panel-1').environment, 'the same for all')
    t.ok(existsSync(join(root, command.at(-1)?.replace('dist/main.js', 'src/main.ts') ?? '')), 'the program is there')
    t.equal(resolve(folder, build?.context ?? ''), resolve(root), 'built from the root')
    t.ok(existsSync(join(root, build?.dockerfile ?? '')))
  }
})

t.test('the panels take what they are told', async (t) => {
  const { environment } = service('panel-1')
  const given = readEnvironment(
    Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, interpolate(value)])),
  )
  t.match(given, { host: '0.0.0.0', port: 3000, relayEmbedded: false, publicUrl: 'http://localhost:8080' })
  const database = new URL(given.databaseUrl ?? '')
  const { POSTGRES_USER, POSTGRES_DB } = service('postgres').environment
  t.match(database, { hostname: 'postgres', username: POSTGRES_USER, pathname: `/${POSTGRES_DB}`, port: '5432' })
  t.match(new URL(given.redisUrl ?? ''), { hostname: 'redis', port: '6379' })
  const [subnet] = networks.default.ipam.config
  t.same(given.trustedProxies, [subnet?.subnet], 'they believe the balancer, and nobody outside of the network')
  const privates = new BlockList()
  privates.addSubnet('172.16.0.0', 12)
  t.ok(privates.check((subnet?.subnet ?? '').split('/')[0] ?? ''))
})

t.test('the relay is started as the script does it', async (t) => {
  const { command, ports = [] } = service('relay')
  const [, , ...given] = command.map(interpolate).flatMap((word) => word.split('='))
  const settings = { bindHost: '0.0.0.0', publicHost: 'localhost', dataPort: '7350', portRange: '20000-20099' }
  t.same(given, relayArguments('/state/relay.json', settings))
  t.equal(service('panel-1').environment['RELAY_PORT_RANGE'], settings.portRange, 'panels give out no other ports')
  for (const range of [settings.dataPort, settings.portRange]) {
    for (const protocol of ['tcp', 'udp']) t.ok(ports.includes(`${range}:${range}/${protocol}`), `${range}/${protocol}`)
  }
  t.equal(service('enrol').environment['RELAY_CONFIG'], '/state/relay.json')
  t.ok(existsSync(join(root, command[1] ?? '')))
})

t.test('what is named is there', async (t) => {
  for (const [name, { depends_on = [], volumes: mounted = [], image }] of Object.entries(services)) {
    t.match(image, /^(sallyport|[a-z]+:\d+(\.\d+)?-alpine)$/, `${name}: a version, and not just any`)
    const needed = Array.isArray(depends_on) ? depends_on.map((on) => [on, ''] as const) : Object.entries(depends_on)
    for (const [on, condition] of needed) {
      t.ok(services[on], `${name} needs ${on}`)
      if (typeof condition !== 'string' && condition.condition === 'service_healthy') t.ok(services[on]?.healthcheck)
    }
    for (const mount of mounted) {
      const [source = ''] = mount.split(':')
      t.ok(source.startsWith('./') ? existsSync(join(folder, source)) : source in volumes, `${name}: ${mount}`)
    }
  }
  const example = await read('.env.example')
  for (const [, name = ''] of text.matchAll(/\$\{(\w+)/g)) t.match(example, new RegExp(`^(# )?${name}=`, 'm'), name)
  t.match(await read('Dockerfile'), /^FROM node:22\b/m)
})

t.test('the balancer knows the panels', async (t) => {
  const config = await read('haproxy.cfg')
  const servers = [...config.matchAll(/^ +server (\S+) (\S+):(\d+)$/gm)].map(([, name, host, port]) => [
    name,
    host,
    port,
  ])
  t.same(
    servers,
    panels.map((name) => [name, name, service(name).environment['PORT']]),
  )
  const [, port = ''] = /^ +bind :(\d+)$/m.exec(config) ?? []
  t.same(service('balancer').ports, [`${port}:${port}`])
  t.equal(service('enrol').environment['PANEL_URL'], `http://balancer:${port}`)
  t.equal(new URL(interpolate(service('panel-1').environment['PUBLIC_URL'] ?? '')).port, port)
  t.match(config, /uri \/api\/health\/ready/)
  t.match(config, /set-header X-Forwarded-For %\[src\]/)
})
