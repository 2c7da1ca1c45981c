import type { AllocationOptions } from '@sallyport/relay/client'
import type { FormFields } from '../ui/form.js'
import { readRules } from './address-rules.js'
import { type FieldRefusal, refusedFields } from './problems.js'

/** Options as a change of them: null lifts one. */
export type OptionsChange = { -readonly [Field in keyof AllocationOptions]?: AllocationOptions[Field] | null }

/** Bytes per second of each unit that a bandwidth can be given in. */
export const bandwidthUnits = { 'kB/s': 1_000, 'MB/s': 1_000_000, 'Mbit/s': 125_000 } as const
export type BandwidthUnit = keyof typeof bandwidthUnits

const minBandwidth = 1_024
const maxBandwidth = 1e12
const numbers = ['maxConnections', 'maxConnectionsPerSource', 'connectionRate', 'idleTimeout'] as const

/**
 * What a form with `OptionFields` changes of the options in force: what was left alone is left out.
 * @throws PanelProblem naming the fields that cannot be
 */
export function readOptions(fields: FormFields, before: AllocationOptions = {}): OptionsChange {
  const allow = readRules('allow', fields.raw('allow'))
  const deny = readRules('deny', fields.raw('deny'))
  const bandwidth = readBandwidth(fields)
  const refusals = [allow.refusal, deny.refusal, bandwidth.refusal].filter((one) => one !== undefined)
  if (refusals.length > 0) throw refusedFields('Some limits cannot be saved as they are.', refusals)

  const change: OptionsChange = {}
  for (const field of numbers) {
    const value = fields.number(field) ?? null
    if (value !== (before[field] ?? null)) change[field] = value
  }
  if (bandwidth.value !== (before.bandwidth ?? null)) change.bandwidth = bandwidth.value
  for (const [field, { rules }] of Object.entries({ allow, deny }) as ['allow' | 'deny', typeof allow][]) {
    if (rules.join() !== (before[field] ?? []).join()) change[field] = rules.length > 0 ? rules : null
  }
  const proxyProtocol = (fields.text('proxyProtocol') || 'none') as NonNullable<AllocationOptions['proxyProtocol']>
  if (proxyProtocol !== (before.proxyProtocol ?? 'none')) {
    change.proxyProtocol = proxyProtocol === 'none' ? null : proxyProtocol
  }
  return change
}

/** A bandwidth as people would write it. */
export function showBandwidth(bytesPerSecond: number): { readonly value: string; readonly unit: BandwidthUnit } {
  const unit = bytesPerSecond < 1_000_000 ? 'kB/s' : 'MB/s'
  return { value: String(bytesPerSecond / bandwidthUnits[unit]), unit }
}

function readBandwidth(fields: FormFields): { value: number | null; refusal?: FieldRefusal } {
  const entered = fields.number('bandwidth')
  if (entered === undefined) return { value: null }
  const value = Math.round(entered * bandwidthUnits[fields.text('bandwidthUnit') as BandwidthUnit])
  if (value >= minBandwidth && value <= maxBandwidth) return { value }
  return { value, refusal: { field: 'bandwidth', message: 'From 1.024 kB/s to 1,000,000 MB/s.' } }
}
