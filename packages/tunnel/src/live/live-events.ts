import { type TSchema, type TUnsafe, Type } from '@sinclair/typebox'
import { type Allocation, allocationSchema } from '../allocations/allocation.js'
import { type Device, deviceSchema } from '../devices/device.js'
import { type RelayRecord, relayRecordSchema } from '../relays/relay-record.js'
import type { LiveTraffic } from '../traffic/running-totals.js'
import { liveTrafficFields } from '../traffic/traffic-answer.js'
import { viewSchema } from '../view-schema.js'

/** What a list shows, or what changed of it since it was last told. */
export interface LiveList<Item, Id = string> {
  /** `items` is everything there is; else they take the place of those with their ids, or are new. */
  readonly reset: boolean
  /** As the list's own route gives them. */
  readonly items: readonly Item[]
  /** Ids of those that are gone, or may not be seen any more. */
  readonly removed: readonly Id[]
}

/** What passes an allocation at this moment. */
export interface AllocationTrafficNow extends LiveTraffic {
  /** Of the allocation. */
  readonly id: number
}

/** An event of `GET /api/tunnel/events`: its name, and what the JSON in its data is. */
export type LiveEvent =
  | { readonly event: 'devices'; readonly data: LiveList<Device> }
  | { readonly event: 'allocations'; readonly data: LiveList<Allocation, number> }
  | { readonly event: 'relays'; readonly data: LiveList<RelayRecord> }
  | {
      readonly event: 'traffic'
      /** Those whose numbers are others than a second ago. */
      readonly data: { readonly items: readonly AllocationTrafficNow[] }
    }

const uuid = Type.String({ format: 'uuid' })

function list<Item extends TSchema, Id extends TSchema>(item: Item, id: Id) {
  return Type.Object({ reset: Type.Boolean(), items: Type.Array(item), removed: Type.Array(id) })
}

export const liveEventSchema: TUnsafe<LiveEvent> = viewSchema<LiveEvent>()(
  Type.Union(
    [
      Type.Object({ event: Type.Literal('devices'), data: list(deviceSchema, uuid) }),
      Type.Object({ event: Type.Literal('allocations'), data: list(allocationSchema, Type.Integer()) }),
      Type.Object({ event: Type.Literal('relays'), data: list(relayRecordSchema, Type.String()) }),
      Type.Object({
        event: Type.Literal('traffic'),
        data: Type.Object({
          items: Type.Array(
            Type.Object(
              { id: Type.Integer({ description: 'Of the allocation.' }), ...liveTrafficFields },
              { $id: 'AllocationTraffic' },
            ),
          ),
        }),
      }),
    ],
    { $id: 'LiveEvent' },
  ),
)
