import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '@sallyport/core'
import {
  createRelay,
  fileStorage,
  memoryStorage,
  packageVersion,
  type Relay,
  RelayError,
  type RelayOptions,
} from '@sallyport/relay'
import type { EmbeddedRelayConfig } from '../config.js'
import { tunnelErrors } from '../errors.js'
import type { RelayDescription } from './registration.js'
import type { SteeredRelay } from './steered-relay.js'

/** The relay of this process. */
export interface EmbeddedRelay {
  readonly relay: Relay
  readonly steered: SteeredRelay
  readonly description: RelayDescription
}

interface EmbeddedRelayOptions {
  readonly config: EmbeddedRelayConfig
  readonly logger: Logger
  /** Whether other processes may have relays in the same database. */
  readonly shared: boolean
  /** Takes the id for this instance; false: a living other one has it. */
  readonly claim: (id: string, host: string) => Promise<boolean>
  /** How long an instance that has died looks alive. */
  readonly leaseMs: number
}

type RelaySecurity = Pick<RelayOptions, 'encryption' | 'certificate'>

const defaults = {
  bindHost: '127.0.0.1',
  publicHost: 'localhost',
  dataPort: 7_350,
}
const hashDigits = 8
const suffixBytes = 4
const lookMs = 250

/**
 * Starts the relay.
 * @throws `TUNNEL_ERR_RELAY_START_FAILED`
 */
export async function startEmbeddedRelay(options: EmbeddedRelayOptions): Promise<EmbeddedRelay> {
  const { config, logger } = options
  const { bindHost, publicHost, dataPort } = { ...defaults, ...config }
  const id = await findId(options)
  const storage = config.storageFile === undefined ? memoryStorage() : fileStorage(config.storageFile)
  try {
    const security = await readSecurity(config)
    const relay = createRelay({ id, bindHost, publicHost, dataPort, storage, logger, ...security })
    await relay.start()
    const description: RelayDescription = {
      id,
      kind: 'embedded',
      host: relay.publicHost,
      dataPort: relay.dataPort,
      fingerprint: relay.fingerprint,
      encryption: relay.encryption,
      hostGroup: config.hostGroup,
      region: config.region,
      labels: config.labels,
      capacity: config.capacity,
      portRange: undefined,
      ticketKey: relay.ticketKey,
      clockOffsetMs: 0,
      version: packageVersion(),
    }
    return { relay, steered: steer(relay), description }
  } catch (error) {
    if (!(error instanceof RelayError)) throw error
    throw tunnelErrors.RELAY_START_FAILED({ reason: error.message }, { cause: error })
  }
}

async function readSecurity({ encryption, certificate }: EmbeddedRelayConfig): Promise<RelaySecurity> {
  const security: RelaySecurity = encryption === undefined ? {} : { encryption }
  if (certificate === undefined) return security
  const [key, cert] = await Promise.all([readPem(certificate.privateKeyFile), readPem(certificate.file)])
  return { ...security, certificate: { key, cert } }
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw tunnelErrors.RELAY_START_FAILED({ reason: `${file} cannot be read (${code})` }, { cause: error })
  }
}

/**
 * A relay keeps its id over restarts, since allocations are bound to it; two that live have two. A process that was just killed looks
 * alive for a while, so that is waited for.
 */
async function findId({ config, shared, claim, leaseMs }: EmbeddedRelayOptions): Promise<string> {
  const wanted = config.id ?? (shared ? `embedded-${fingerprint(config)}` : 'embedded')
  if (!shared) return wanted
  const host = config.publicHost ?? defaults.publicHost
  // Several on one machine are meant to get along.
  const waits = config.id !== undefined || config.dataPort !== 0
  const end = performance.now() + (waits ? leaseMs : 0)
  while (!(await claim(wanted, host))) {
    if (performance.now() < end) await delay(lookMs)
    else if (config.id === undefined) return `${wanted}-${randomBytes(suffixBytes).toString('hex')}`
    else throw tunnelErrors.RELAY_START_FAILED({ reason: `another panel that runs has a relay of the id ${wanted}` })
  }
  return wanted
}

function fingerprint({ publicHost, dataPort, storageFile }: EmbeddedRelayConfig): string {
  const own = [hostname(), publicHost ?? defaults.publicHost, dataPort ?? defaults.dataPort, storageFile ?? '']
  return createHash('sha256').update(JSON.stringify(own)).digest('hex').slice(0, hashDigits)
}

function steer(relay: Relay): SteeredRelay {
  return {
    id: relay.id,
    epoch: relay.epoch,
    apply: (state) => relay.apply(state),
    change: (change) => relay.change(change),
    disconnectDevice: (deviceId) => relay.disconnectDevice(deviceId),
    get revision() {
      return relay.revision
    },
    status: () => relay.status(),
    traffic: () => relay.traffic(),
    on: (event, handler) => relay.on(event, handler),
    load: () => ({
      devices: relay.devices().length,
      connections: relay.traffic().reduce((sum, { open }) => sum + open, 0),
      draining: false,
    }),
  }
}
