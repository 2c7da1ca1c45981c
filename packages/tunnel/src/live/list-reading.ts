import { hash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { type EventFrame, eventFrame } from '@sallyport/core'
import { inChunks } from '../in-chunks.js'

export type ItemId = string | number

/** What reading a list found, beside what the reading before had. */
export interface ListReading {
  /** Ids of what is new, different or gone. */
  readonly touched: ReadonlySet<ItemId>
  /** Everything. */
  all(): EventFrame
  /** What was touched; undefined: nothing. */
  delta(): EventFrame | undefined
  /** These, as they are now; those that are not there any more as removed. */
  some(ids: Iterable<ItemId>): EventFrame
}

/** A list as it was last read: a digest of each item, no items. */
export interface ListDigests<Item> {
  /** Takes what was read in place of what was there. */
  accept(items: readonly Item[]): Promise<ListReading>
  has(id: ItemId): boolean
  ids(): Iterable<ItemId>
  readonly size: number
}

/** Items that are looked at before others get their turn. */
const itemsPerTurn = 500

/** @param essence what makes an item another one: without what changes with each reading */
export function createListDigests<Item extends { readonly id: ItemId }>(
  event: string,
  essence: (item: Item) => object,
): ListDigests<Item> {
  let digests: ReadonlyMap<ItemId, string> = new Map()

  const compare = async (items: readonly Item[]): Promise<{ next: Map<ItemId, string>; touched: Set<ItemId> }> => {
    const next = new Map<ItemId, string>()
    const touched = new Set<ItemId>()
    for (const [at, some] of inChunks(items, itemsPerTurn).entries()) {
      if (at > 0) await turn()
      for (const item of some) {
        const digest = hash('sha1', JSON.stringify(essence(item)), 'base64')
        next.set(item.id, digest)
        if (digests.get(item.id) !== digest) touched.add(item.id)
      }
    }
    for (const id of digests.keys()) if (!next.has(id)) touched.add(id)
    return { next, touched }
  }

  return {
    async accept(items) {
      const { next, touched } = await compare(items)
      digests = next
      let byId: Map<ItemId, Item> | undefined
      let [everything, delta]: (EventFrame | undefined)[] = []
      const some: ListReading['some'] = (ids) => {
        byId ??= new Map(items.map((item) => [item.id, item]))
        const [there, removed]: [Item[], ItemId[]] = [[], []]
        for (const id of ids) {
          const item = byId.get(id)
          if (item) there.push(item)
          else removed.push(id)
        }
        return eventFrame(event, JSON.stringify({ reset: false, items: there, removed }))
      }
      return {
        touched,
        all() {
          everything ??= eventFrame(event, JSON.stringify({ reset: true, items, removed: [] }))
          return everything
        },
        delta() {
          if (touched.size > 0) delta ??= some(touched)
          return delta
        },
        some,
      }
    },
    has: (id) => digests.has(id),
    ids: () => digests.keys(),
    get size() {
      return digests.size
    },
  }
}
