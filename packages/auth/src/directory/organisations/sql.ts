import type { Database } from '@sallyport/core'
import { QueryTypes, type Transaction } from 'sequelize'

/** Runs one statement and gives its rows; values go in as `$1`, `$2`, …. */
export type Sql = <Row extends object>(
  statement: string,
  values: readonly unknown[],
  transaction?: Transaction,
) => Promise<Row[]>

export function createSql({ sequelize }: Database): Sql {
  return <Row extends object>(statement: string, values: readonly unknown[], transaction?: Transaction) =>
    sequelize.query<Row>(statement, {
      bind: [...values],
      type: QueryTypes.SELECT,
      ...(transaction && { transaction }),
    })
}
