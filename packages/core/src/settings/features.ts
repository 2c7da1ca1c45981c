import type { Disposer } from '../kernel/scope.js'
import { defineService, type ServiceToken } from '../kernel/service.js'

/** Feature flags: booleans in the settings' section `features`. */
export interface Features {
  /** @throws `CORE_ERR_FEATURE_DISABLED` (403) when the flag is off */
  assertEnabled(flag: string): void
  isEnabled(flag: string): boolean
  onChange(handler: (flag: string, enabled: boolean) => void): Disposer
}

export const Features: ServiceToken<Features> = defineService<Features>('core.features')
