import type { Sql } from '@sallyport/core'
import { type PlanName, plans } from './plans.js'
import { isRegion, type Region } from './regions.js'

/** What the host knows of whoever pays: a person, or an organisation for its devices. */
export interface Account {
  readonly id: string
  readonly plan: PlanName
  readonly region: Region
}

export interface Accounts {
  /** Somebody who has no row yet is on the smallest plan. */
  find(id: string | null): Promise<Account>
  save(account: Account): Promise<void>
}

const unknown = { plan: 'free', region: 'eu' } as const

export function createAccounts(sql: Sql): Accounts {
  const find: Accounts['find'] = async (id) => {
    if (id === null) return { id: '', ...unknown }
    const [row] = await sql<{ plan: string; region: string }>(
      'SELECT plan, region FROM policy_accounts WHERE id = $1',
      [id],
    )
    return { id, plan: isPlan(row?.plan) ? row.plan : unknown.plan, region: regionOf(row?.region) }
  }
  return {
    find,
    async save({ id, plan, region }) {
      await sql(
        `INSERT INTO policy_accounts (id, plan, region) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET plan = EXCLUDED.plan, region = EXCLUDED.region`,
        [id, plan, region],
      )
    },
  }
}

/** An organisation's devices are on its account. */
export function accountOf({
  ownerId,
  organisationId,
}: {
  readonly ownerId: string | null
  readonly organisationId: string | null
}): string | null {
  return organisationId ?? ownerId
}

function isPlan(name: string | undefined): name is PlanName {
  return name !== undefined && Object.hasOwn(plans, name)
}

function regionOf(name: string | undefined): Region {
  return isRegion(name) ? name : unknown.region
}
