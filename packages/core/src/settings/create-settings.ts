import { isDeepStrictEqual } from 'node:util'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { coreErrors } from '../errors.js'
import { defineEvent, type Events, type EventToken } from '../events/events.js'
import type { FieldError } from '../kernel/errors.js'
import type { Logger } from '../kernel/logger.js'
import type { Scope } from '../kernel/scope.js'
import { isJsonObject, mergePatch } from './merge-patch.js'
import { createSection, type OpenSection } from './section.js'
import type { Settings, SettingsHandle, SettingsSection } from './settings.js'
import type { SettingsStorage, StoredSection } from './storage.js'

interface SettingsOptions {
  readonly storage: SettingsStorage
  readonly events: Events
  readonly logger: Logger
  /** What the host wants a section's first value to be. */
  readonly initial: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly scope: Scope
}

export interface OpenSettings extends Settings {
  /** Reads what is in force from the database again. */
  refresh(): Promise<void>
  isDefined(name: string): boolean
  /** JSON Schema of all sections that are defined so far. */
  schema(): TSchema
}

const namePattern = /^[a-z][A-Za-z0-9]{0,49}$/
/** Other instances read the named sections again; the values themselves do not travel. */
const changed: EventToken<{ sections: readonly string[] }> = defineEvent('core.settings.changed')

/** Makes the settings of one instance. */
export function createSettings({ storage, events, logger, initial, scope }: SettingsOptions): OpenSettings {
  const sections = new Map<string, OpenSection>()
  const all = (): Readonly<Record<string, unknown>> =>
    Object.fromEntries([...sections.values()].map(({ name, value }) => [name, value]))

  const apply = (section: OpenSection, value: unknown, revision: number): void => {
    for (const error of section.apply(section.accept(value), revision)) {
      logger.error({ err: error, section: section.name }, 'a handler of changed settings failed')
    }
  }
  const refresh = async (names: readonly string[]): Promise<void> => {
    for (const stored of await storage.read(names)) {
      const section = sections.get(stored.section)
      if (section) apply(section, stored.value, stored.revision)
    }
  }
  scope.defer(events.on(changed, ({ sections: names }, { remote }) => (remote ? refresh(names) : undefined)))
  scope.defer(events.onResync(() => refresh([...sections.keys()])))

  return {
    isDefined: (name) => sections.has(name),
    refresh: () => refresh([...sections.keys()]),
    schema: () => Type.Object(Object.fromEntries([...sections.values()].map(({ name, schema }) => [name, schema]))),
    all,
    async define<Schema extends TSchema>(given: SettingsSection<Schema>): Promise<SettingsHandle<Static<Schema>>> {
      const { name, schema } = given
      if (sections.has(name)) throw coreErrors.CONFLICT({ reason: `Two plugins define the settings ${name}` })
      if (!namePattern.test(name)) {
        throw coreErrors.ARGUMENT_INVALID({ argument: `Settings section ${name}`, reason: 'it is no camelCase word' })
      }
      const section = createSection(name, schema)
      sections.set(name, section)
      await storage.initialise(name, firstValue(section, { ...given.initial, ...initial[name] }))
      await refresh([name])
      return {
        get value() {
          return section.value as Static<Schema>
        },
        onChange: (handler) => section.onChange(handler),
      }
    },
    async patch(change) {
      const parts = readChange(change, sections)
      const names = parts.map(([section]) => section.name)
      const written = await storage.transaction(async (transaction) => {
        const stored = await storage.readLocked(names, transaction)
        const next = merge(parts, stored)
        const revisions: [OpenSection, unknown, number][] = []
        for (const { section, value, same } of next) {
          if (!same) revisions.push([section, value, await storage.write(section.name, value, transaction)])
        }
        return revisions
      })
      for (const [section, value, revision] of written) apply(section, value, revision)
      if (written.length > 0) await events.emit(changed, { sections: written.map(([{ name }]) => name) })
      return all()
    },
  }
}

function firstValue(section: OpenSection, fields: Readonly<Record<string, unknown>>): unknown {
  const checked = section.check(fields)
  if ('value' in checked) return checked.value
  throw coreErrors.CONFIG_INVALID({ plugin: `the settings ${section.name}`, reason: describe(checked.errors) })
}

type Change = readonly (readonly [section: OpenSection, patch: unknown])[]

function readChange(change: unknown, sections: ReadonlyMap<string, OpenSection>): Change {
  if (!isJsonObject(change)) throw invalid([{ path: '', message: 'must be object' }])
  const parts: [OpenSection, unknown][] = []
  const errors: FieldError[] = []
  for (const [name, patch] of Object.entries(change)) {
    const section = sections.get(name)
    if (!section) errors.push({ path: `/${name}`, message: 'is not known' })
    else if (patch !== null && !isJsonObject(patch)) errors.push({ path: `/${name}`, message: 'must be object' })
    else parts.push([section, patch ?? {}])
  }
  if (errors.length > 0) throw invalid(errors)
  return parts
}

function merge(
  parts: Change,
  stored: readonly StoredSection[],
): readonly { section: OpenSection; value: unknown; same: boolean }[] {
  const values = new Map(stored.map(({ section, value }) => [section, value]))
  const checked = parts.map(([section, patch]) => {
    const before = section.accept(values.get(section.name))
    return { section, before, ...section.check(mergePatch(before, patch)) }
  })
  const errors = checked.flatMap((part) => ('errors' in part ? part.errors : []))
  if (errors.length > 0) throw invalid(errors)
  return checked.flatMap((part) => {
    if ('errors' in part) return []
    return { section: part.section, value: part.value, same: isDeepStrictEqual(part.value, part.before) }
  })
}

function invalid(errors: readonly FieldError[]): Error {
  return coreErrors.SETTINGS_INVALID({ reason: describe(errors) }, { errors })
}

function describe(errors: readonly FieldError[]): string {
  return errors.map(({ path, message }) => `${path || 'the body'} ${message}`).join('; ')
}
