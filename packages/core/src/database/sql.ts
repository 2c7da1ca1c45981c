import { QueryTypes, type Transaction } from 'sequelize'
import type { Database } from './database.js'

/** Runs one statement with `$1`, `$2`, … bound to `values` and gives its rows: those of a `SELECT` or of `RETURNING`. */
export type Sql = <Row extends object>(
  statement: string,
  values?: readonly unknown[],
  transaction?: Transaction,
) => Promise<Row[]>

/** Statements on a database, for plugins that write their SQL themselves. */
export function createSql({ sequelize }: Database): Sql {
  return <Row extends object>(statement: string, values: readonly unknown[] = [], transaction?: Transaction) =>
    sequelize.query<Row>(statement, {
      bind: [...values],
      type: QueryTypes.SELECT,
      raw: true,
      ...(transaction && { transaction }),
    })
}
