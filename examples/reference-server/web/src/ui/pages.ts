import { useCallback, useMemo, useRef } from 'preact/hooks'
import { type Resource, useResource } from './resource.js'

export interface Part<Item> {
  readonly items: readonly Item[]
  /** Of all there are, not only those that are here. */
  readonly total: number
}

/** A list that the panel gives in parts. */
export interface Pages<Item> extends Resource<Part<Item>> {
  /** Reads the next part; rejects with why it could not. */
  more(): Promise<void>
  /** Reads what is left, as far as a page can hold it. */
  all(): Promise<void>
  /** Shows at once what an answer has told already: an item that is new or changed. */
  put(item: Item): void
  remove(id: string): void
}

type Read<Item> = (page: { readonly limit: number; readonly offset: number }) => Promise<Part<Item>>

const firstLength = 100
const nextLength = 500
/** What has come and gone meanwhile has moved the others: the end of what is known is read again. */
const overlap = 50
/** More than anyone looks through. */
const maxItems = 10_000

/** @param isNewestFirst where a new item goes */
export function usePages<Item extends { readonly id: string }>(read: Read<Item>, isNewestFirst = false): Pages<Item> {
  const resource = useResource(() => read({ limit: firstLength, offset: 0 }))
  const { data, set } = resource
  const latest = useRef({ data, read })
  latest.current = { data, read }

  const readNext = useCallback(
    async (before: Part<Item>): Promise<Part<Item>> => {
      const offset = Math.max(0, before.items.length - overlap)
      const { items, total } = await latest.current.read({ limit: nextLength, offset })
      const known = new Set(before.items.map(({ id }) => id))
      const joined = [...before.items, ...items.filter(({ id }) => !known.has(id))]
      // At the end these are all: what is gone, or stands before what is known, must not be waited for.
      const isEnd = items.length === 0 || offset + items.length >= total
      const after = { items: joined, total: isEnd ? joined.length : Math.max(total, joined.length) }
      set(() => after)
      return after
    },
    [set],
  )
  const more = useCallback(async () => {
    if (latest.current.data) await readNext(latest.current.data)
  }, [readNext])
  const all = useCallback(async () => {
    let part = latest.current.data
    while (part && part.items.length < Math.min(part.total, maxItems)) part = await readNext(part)
  }, [readNext])
  const put = useCallback(
    (item: Item) =>
      set(({ items, total }) => {
        if (items.some(({ id }) => id === item.id))
          return { items: items.map((one) => (one.id === item.id ? item : one)), total }
        return { items: isNewestFirst ? [item, ...items] : [...items, item], total: total + 1 }
      }),
    [set, isNewestFirst],
  )
  const remove = useCallback(
    (gone: string) =>
      set(({ items, total }) => {
        const left = items.filter(({ id }) => id !== gone)
        return { items: left, total: total - (items.length - left.length) }
      }),
    [set],
  )
  return useMemo(() => ({ ...resource, more, all, put, remove }), [resource, more, all, put, remove])
}
