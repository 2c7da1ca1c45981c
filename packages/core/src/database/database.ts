import type { Sequelize, Transaction } from 'sequelize'
import { defineService, type ServiceToken } from '../kernel/service.js'

/** The panel's Postgres. By the time a plugin gets it, every plugin's migrations have been applied. */
export interface Database {
  /** `embedded`: in this process, inside the data directory, one connection. `postgres`: a server. */
  readonly kind: 'embedded' | 'postgres'
  /** One instance for each kernel. Plugins define their models on it in `setup`, tables prefixed by their name. */
  readonly sequelize: Sequelize
  /**
   * Runs `work` in a transaction, committed when it resolves and rolled back when it rejects. Every query inside must
   * be given the transaction: the embedded database has one connection, and a query beside it would wait for ever.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
}

export const Database: ServiceToken<Database> = defineService<Database>('core.database')
