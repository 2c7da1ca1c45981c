/** Where relays stand, by the name that they are started with. */
export const regions = ['eu', 'us', 'asia'] as const
export type Region = (typeof regions)[number]

/** Typical round trips, milliseconds. Measure your own. */
const distances: Readonly<Record<Region, Readonly<Record<Region, number>>>> = {
  eu: { eu: 20, us: 100, asia: 220 },
  us: { eu: 100, us: 30, asia: 160 },
  asia: { eu: 220, us: 160, asia: 40 },
}
const unknown = 1_000

export function isRegion(name: string | null | undefined): name is Region {
  return regions.includes(name as Region)
}

/** A relay whose region nobody knows is far from everybody. */
export function distanceBetween(from: Region, to: string | null): number {
  return isRegion(to) ? distances[from][to] : unknown
}
