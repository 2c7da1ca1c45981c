import type { ControlAllocation } from '../../control/control.js'

export type PanelState = 'connecting' | 'connected' | 'lost' | 'waiting' | 'replaced'

/** How the agent stands, as far as its own parts do not tell when asked. */
export interface RunBoard {
  /** The panel's URL as people know it. */
  panel: string
  panelState: PanelState
  /** Why, when it is 'lost'. */
  panelTrouble: string
  /** This device's name at the panel, once it has said so. */
  device: string
  allocations: ReadonlyMap<number, ControlAllocation>
  /** What people call the relays, by id; those without a name are not in it. */
  relayNames: ReadonlyMap<string, string>
  /** Why a link is not up, by relay. */
  linkTroubles: Map<string, string>
  /** What ends now is no news. */
  stopping: boolean
}

export function createBoard(): RunBoard {
  return {
    panel: '',
    panelState: 'connecting',
    panelTrouble: '',
    device: '',
    allocations: new Map(),
    relayNames: new Map(),
    linkTroubles: new Map(),
    stopping: false,
  }
}

/** Why an allocation does not serve by the panel's word; undefined: it does, or soon will. */
export function troubleOf({ status }: ControlAllocation, isLinked: boolean): string | undefined {
  if (status === 'open' || status === 'pending') return undefined
  // The relay that the panel does not see (yet) serves on as long as this agent has its link.
  if (status === 'offline' && isLinked) return undefined
  return WORDS[status] ?? status
}

const WORDS: Readonly<Record<string, string>> = {
  closed: 'closed',
  offline: 'its relay is away',
  failed: 'its relay cannot bind the port',
}
