import { type Static, Type } from '@sinclair/typebox'
import { coreErrors } from '../errors.js'
import type { Disposer } from '../kernel/scope.js'
import type { Features } from './features.js'
import type { Settings, SettingsHandle } from './settings.js'

const schema = Type.Object({ tunnels: Type.Boolean({ default: true }) })

/** Defines the section `features` and gives the service that reads it. */
export async function defineFeatures(settings: Settings): Promise<Features> {
  const handle: SettingsHandle<Static<typeof schema>> = await settings.define({ name: 'features', schema })
  const isEnabled = (flag: string): boolean => flagsOf(handle.value).get(flag) === true
  return {
    isEnabled,
    assertEnabled(flag) {
      if (!isEnabled(flag)) throw coreErrors.FEATURE_DISABLED({ feature: flag })
    },
    onChange(handler): Disposer {
      return handle.onChange((value, previous) => {
        const before = flagsOf(previous)
        for (const [flag, enabled] of flagsOf(value)) {
          if (before.get(flag) !== enabled) handler(flag, enabled)
        }
      })
    },
  }
}

function flagsOf(value: Static<typeof schema>): ReadonlyMap<string, boolean> {
  return new Map(Object.entries(value))
}
