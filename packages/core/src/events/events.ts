import type { Disposer } from '../kernel/scope.js'
import { defineService, type ServiceToken } from '../kernel/service.js'

declare const payloadType: unique symbol

/** Names an event and carries the type of its payload, which must be JSON. */
export interface EventToken<T> {
  readonly name: string
  readonly [payloadType]?: T
}

/** @param name unique, by custom `<package>.<thing>.<what happened>`, such as `tunnel.device.approved` */
export function defineEvent<T>(name: string): EventToken<T> {
  return Object.freeze({ name })
}

export interface EventOrigin {
  /** Whether another instance of the panel emitted it. */
  readonly remote: boolean
}

/** Tells what happened to whoever wants to know, on this instance at once and by Redis on all others. */
export interface Events {
  /**
   * Handlers run one after the other; one that fails is logged and harms nobody. Resolves when they have ended and
   * Redis has taken the event. While Redis is away it is kept for it (up to a bound), and this resolves after 2 s.
   * @param payload JSON of at most 64 KiB, else `CORE_ERR_ARGUMENT_INVALID`; handlers get a copy
   */
  emit<T>(event: EventToken<T>, payload: T): Promise<void>
  on<T>(event: EventToken<T>, handler: (payload: T, origin: EventOrigin) => void | Promise<void>): Disposer
  /**
   * Whether events of other instances arrive at the moment. Without Redis there are no others, and it is `true`. What is
   * kept up to date by events is not to be relied on while it is `false`.
   */
  readonly connected: boolean
  /**
   * Runs `handler` when events of other instances may have been missed, because Redis was away: read again whatever
   * is kept up to date by events.
   */
  onResync(handler: () => void | Promise<void>): Disposer
}

export const Events: ServiceToken<Events> = defineService<Events>('core.events')
