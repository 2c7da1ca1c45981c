/** What changed in the lists, by the ids of devices. */
export interface ListNews {
  /** Everything may have. */
  readonly all: boolean
  readonly devices: ReadonlySet<string>
  /** Devices whose allocations did. */
  readonly allocations: ReadonlySet<string>
  /** All allocations may have. */
  readonly allAllocations: boolean
  readonly relays: boolean
}

const nothing: ListNews = Object.freeze({
  all: false,
  devices: new Set<string>(),
  allocations: new Set<string>(),
  allAllocations: false,
  relays: false,
})

export function listNews(news: Partial<ListNews>): ListNews {
  return { ...nothing, ...news }
}

/** News that wait to be told together. */
export interface GatheredNews {
  add(news: ListNews): void
  /** All of it; nothing is left. */
  take(): ListNews
}

/** More ids than this are not named: it is everything then. */
const maxNamed = 20_000

export function gatherNews(): GatheredNews {
  let devices = new Set<string>()
  let allocations = new Set<string>()
  let flags = { all: false, allAllocations: false, relays: false }
  const clear = (): void => {
    devices = new Set()
    allocations = new Set()
  }
  return {
    add(news) {
      flags = {
        all: flags.all || news.all,
        allAllocations: flags.allAllocations || news.allAllocations,
        relays: flags.relays || news.relays,
      }
      if (flags.all) return
      for (const id of news.devices) devices.add(id)
      for (const id of news.allocations) allocations.add(id)
      if (devices.size + allocations.size <= maxNamed) return
      flags.all = true
      clear()
    },
    take() {
      const news = flags.all ? listNews(flags) : { ...flags, devices, allocations }
      clear()
      flags = { all: false, allAllocations: false, relays: false }
      return news
    },
  }
}
