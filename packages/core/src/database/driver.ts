import type { Duplex } from 'node:stream'
import pg, { type ClientConfig } from 'pg'
import { type Options, Sequelize } from 'sequelize'
import { isConnectionLost, queryTimedOut } from './unavailable.js'

/** What Sequelize takes as `dialectModule`, and how many connections it may have. */
interface DriverOptions {
  readonly client: ClientConfig
  readonly pool: NonNullable<Options['pool']>
}

type QueryCallback = (error: Error | null, result?: unknown) => void

/**
 * Makes a Sequelize whose connections are opened as `client` says. Sequelize itself is told neither address nor
 * password, so that neither can show in what it prints.
 */
export function createSequelize({ client: clientConfig, pool }: DriverOptions): Sequelize {
  class Client extends pg.Client {
    declare _invalid?: boolean

    constructor(given: ClientConfig) {
      super({ ...clientConfig, types: given.types } as ClientConfig)
    }

    // A connection that is lost, or on which an answer is overdue, must not be given out again: the driver tells the
    // query first and the pool later.
    override query(...args: unknown[]): never {
      const callback = args.at(-1)
      if (typeof callback === 'function') {
        args[args.length - 1] = (error: Error | null, result?: unknown) => {
          if (error && isConnectionLost(error)) this.#giveUp(error)
          ;(callback as QueryCallback)(error, result)
        }
      }
      return (super.query as (...given: unknown[]) => never)(...args)
    }

    #giveUp(error: Error): void {
      this._invalid = true
      if (error.message !== queryTimedOut) return
      const { connection } = this as unknown as { connection: { stream: Duplex } }
      connection.stream.destroy()
    }
  }

  const sequelize = new Sequelize('', '', '', {
    dialect: 'postgres',
    dialectModule: { Client, types: pg.types },
    pool,
    // SQL holds values; nothing of it goes to a log.
    logging: false,
    benchmark: false,
    // Plugins use snake-case columns and say themselves what they have.
    define: { underscored: true, freezeTableName: true },
  })
  const query = sequelize.query.bind(sequelize) as (...args: unknown[]) => Promise<unknown>
  const guarded = (...args: unknown[]): Promise<unknown> => query(...args).catch(rethrowWithoutValues)
  return Object.assign(sequelize, { query: guarded as Sequelize['query'] })
}

/** What of a failed query holds values; hidden from loggers, which print what is enumerable, and still there to be read. */
const hidden = ['sql', 'parameters', 'parent', 'original', 'errors', 'fields', 'detail', 'where'] as const

function rethrowWithoutValues(error: unknown): never {
  if (error instanceof Error) {
    for (const key of hidden) {
      if (Object.hasOwn(error, key)) Object.defineProperty(error, key, { enumerable: false })
    }
  }
  throw error
}
