// What a process has open, and what is there for everybody in it.
import crypto from 'node:crypto'
import dns from 'node:dns'
import events, { EventEmitter } from 'node:events'
import fs, { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import fsPromises from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import stream from 'node:stream'
import timers from 'node:timers'
import tls from 'node:tls'
import util from 'node:util'
import v8 from 'node:v8'
import pg from 'pg'

/** Counts by name. */
export type Counts = Readonly<Record<string, number>>

export interface Opened {
  readonly fileDescriptors: number
  /** TCP ports that this process listens at, and UDP ports that it has bound. */
  readonly ports: readonly string[]
  /** What keeps the event loop alive. */
  readonly resources: Counts
  /** Objects that are reachable, whether they keep the event loop alive or not. */
  readonly objects: Counts
}

// In Node 20.13 and later; the types are those of an earlier one.
const { queryObjects } = v8 as unknown as { queryObjects(type: unknown, options: { format: 'count' }): number }
const timer = setTimeout(() => undefined, 0)
clearTimeout(timer)

/**
 * To count those of one class takes half a second; sockets, servers and clients are all emitters. Everything is an Object, a
 * listener too, and what a Map keeps: too small to be seen in the size of the heap.
 */
const counted = { Timeout: timer.constructor, AbortSignal, EventEmitter, Object }

/** Collects the garbage first. */
export function opened(): Opened {
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const types = Object.entries(counted)
  return {
    fileDescriptors: readdirSync('/proc/self/fd').length,
    ports: listeningPorts(),
    resources,
    objects: Object.fromEntries(types.map(([name, type]) => [name, queryObjects(type, { format: 'count' })])),
  }
}

/** Such as `tcp 3000`, of this process alone. */
export function listeningPorts(): string[] {
  const inodes = new Set(readdirSync('/proc/self/fd').flatMap(inodeOf))
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((protocol) => {
    const [, ...lines] = readFileSync(`/proc/self/net/${protocol}`, 'utf8').trim().split('\n')
    return lines.flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
      // 0A is LISTEN; a UDP socket that is connected to nothing is 07.
      if (!inodes.has(inode) || !(protocol.startsWith('tcp') ? state === '0A' : state === '07')) return []
      return [`${protocol.slice(0, 3)} ${Number.parseInt(local.split(':').at(-1) ?? '', 16)}`]
    })
  })
}

function inodeOf(descriptor: string): string[] {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1]
    return inode === undefined ? [] : [inode]
  } catch {
    // It was the one that the directory was read with.
    return []
  }
}

const builtIn: Readonly<Record<string, object>> = {
  ...{
    globalThis,
    Object,
    Function,
    Array,
    String,
    Number,
    BigInt,
    Boolean,
    Symbol,
    Date,
    RegExp,
    Error,
    Promise,
    Map,
  },
  ...{
    Set,
    WeakMap,
    ArrayBuffer,
    Uint8Array,
    JSON,
    Math,
    Reflect,
    Proxy,
    Intl,
    URL,
    AbortSignal,
    Buffer,
    EventEmitter,
  },
  ...{ console, crypto, dns, events, fs, fsPromises, http, https, net, os, path, process, stream, timers, tls, util },
  ...{ IncomingMessage: http.IncomingMessage, ServerResponse: http.ServerResponse, Socket: net.Socket },
}

/** Members of these that another has put in the place of the first ones are told apart by a number. */
const numbers = new WeakMap<object, number>()
let known = 0

/** Every member of an object, and which function or object it is. */
function members(of: object): Record<string, unknown> {
  const all = Reflect.ownKeys(of).map((key) => {
    const { value, get, set } = Object.getOwnPropertyDescriptor(of, key) ?? {}
    return [String(key), [value, get, set].map((part) => (isObject(part) ? identify(part) : typeof part)).join()]
  })
  return Object.fromEntries(all.sort(([one = ''], [other = '']) => (one < other ? -1 : 1)))
}

function identify(value: object): number {
  const number = numbers.get(value) ?? ++known
  numbers.set(value, number)
  return number
}

function isObject(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null)
}

// Some of Node's own replace themselves when they are first looked at.
for (const key of Reflect.ownKeys(globalThis)) Reflect.get(globalThis, key)

/** Everything that all of a process shares and that a library must leave alone; to be compared. */
export function shared(): Record<string, unknown> {
  const keys = (value: unknown): string[] => Reflect.ownKeys(value as object).map(String)
  const { prepareStackTrace, stackTraceLimit } = Error
  return {
    builtIn: Object.fromEntries(
      Object.entries(builtIn).map(([name, value]) => {
        const { prototype } = value as { readonly prototype?: unknown }
        return [name, { own: members(value), prototype: isObject(prototype) ? members(prototype) : {} }]
      }),
    ),
    errors: { prepareStackTrace: String(prepareStackTrace), stackTraceLimit },
    process: {
      env: { ...process.env },
      directory: process.cwd(),
      umask: process.umask(),
      title: process.title,
      exitCode: process.exitCode ?? null,
      listeners: Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)])),
    },
    agents: [http.globalAgent, https.globalAgent].map((agent) => ({
      options: (agent as unknown as { readonly options: unknown }).options,
      limits: [agent.maxSockets, agent.maxFreeSockets, agent.maxTotalSockets],
      sockets: [agent.sockets, agent.freeSockets, agent.requests].map(keys),
      listeners: agent.eventNames().map((name) => [String(name), agent.listenerCount(name)]),
    })),
    network: [tls.DEFAULT_MIN_VERSION, tls.DEFAULT_MAX_VERSION, tls.DEFAULT_CIPHERS, net.getDefaultAutoSelectFamily()],
    events: EventEmitter.defaultMaxListeners,
    postgres: pg.defaults,
  }
}
