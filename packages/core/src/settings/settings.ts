import type { Static, TSchema } from '@sinclair/typebox'
import type { Disposer } from '../kernel/scope.js'
import { defineService, type ServiceToken } from '../kernel/service.js'

/** One group of settings, such as `features` or `quotas`. */
export interface SettingsSection<Schema extends TSchema = TSchema> {
  readonly name: string
  /** Every field has a `default`: an empty object validated gives the section's first value. */
  readonly schema: Schema
  /** What the first start writes in place of the schema's defaults. */
  readonly initial?: Partial<Static<Schema>>
}

/** A section's present values. */
export interface SettingsHandle<T> {
  /** In force on this instance; no I/O. */
  readonly value: T
  /** Told after a change, on every instance. */
  onChange(handler: (value: T, previous: T) => void): Disposer
}

/** Settings that an administrator changes at run time (`GET, PATCH /api/settings`), kept in the database. */
export interface Settings {
  /** Adds a section. Fields in the database that the schema no longer knows are ignored. */
  define<Schema extends TSchema>(section: SettingsSection<Schema>): Promise<SettingsHandle<Static<Schema>>>
  /** All sections. */
  all(): Readonly<Record<string, unknown>>
  /** Merges a partial document (RFC 7396), validates it, stores it and tells every instance. `CORE_ERR_SETTINGS_INVALID`. */
  patch(change: unknown): Promise<Readonly<Record<string, unknown>>>
}

export const Settings: ServiceToken<Settings> = defineService<Settings>('core.settings')
