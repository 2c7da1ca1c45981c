import type { Database } from '@sallyport/core'
import { QueryTypes, type Transaction } from 'sequelize'

/** Runs one statement and gives its rows: those of a `SELECT`, or of `RETURNING`. */
export type Query = <Row extends object>(
  sql: string,
  bind: readonly unknown[],
  transaction?: Transaction,
) => Promise<readonly Row[]>

export function createQuery({ sequelize }: Database): Query {
  return <Row extends object>(sql: string, bind: readonly unknown[], transaction?: Transaction) =>
    sequelize.query<Row>(sql, { bind: [...bind], type: QueryTypes.SELECT, ...(transaction && { transaction }) })
}
