import type { QueryInterface, Sequelize, Transaction } from 'sequelize'

/** What a migration works with. Everything must run in `transaction`: all migrations of a start are one. */
export interface MigrationContext {
  readonly sequelize: Sequelize
  readonly queryInterface: QueryInterface
  readonly transaction: Transaction
  /** Runs one or more SQL statements, without parameters, in the transaction. */
  sql(text: string): Promise<void>
}

/** One change of a plugin's own tables. Never edited once released; never undone, a later one mends it. */
export interface Migration {
  /** Unique within the plugin and sorted by time of writing, such as `0001-create-devices`. */
  readonly name: string
  up(context: MigrationContext): Promise<void>
}
