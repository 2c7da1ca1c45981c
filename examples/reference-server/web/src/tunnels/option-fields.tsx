import type { AllocationOptions } from '@sallyport/relay/client'
import { Field, TextField } from '../ui/form.js'
import { bandwidthUnits, showBandwidth } from './option-values.js'

interface OptionFieldsProps {
  /** In force. */
  readonly options: AllocationOptions
  /** Version 1 of the PROXY protocol knows no UDP. */
  readonly hasUdp: boolean
}

/** Limits of a tunnel, and who may join. Empty means no limit; `readOptions` reads them. */
export function OptionFields({ options, hasUdp }: OptionFieldsProps) {
  return (
    <>
      <div class="fields limits">
        <NumberField
          label="Players at once"
          name="maxConnections"
          hint="More are turned away. Lowered, it sends nobody away who is there."
          value={options.maxConnections}
          max={65_536}
        />
        <NumberField
          label="Players at once from one address"
          name="maxConnectionsPerSource"
          hint="A household shares one address; of IPv6 a /64 counts as one."
          value={options.maxConnectionsPerSource}
          max={65_536}
        />
        <NumberField
          label="New players per second"
          name="connectionRate"
          hint="More than that are turned away at once. Stops floods of connections."
          value={options.connectionRate}
          max={100_000}
        />
        <NumberField
          label="Idle time in seconds"
          name="idleTimeout"
          hint="Who neither sends nor gets anything for so long is let go. From 5 to 86,400."
          value={options.idleTimeout}
          min={5}
          max={86_400}
        />
        <Bandwidth value={options.bandwidth} />
        <ProxyProtocol value={options.proxyProtocol} hasUdp={hasUdp} />
      </div>
      <div class="fields">
        <Rules
          label="Allow only these addresses"
          name="allow"
          hint="One address or range per line, such as 203.0.113.7 or 2001:db8::/32. Empty: everyone may join."
          value={options.allow}
        />
        <Rules
          label="Deny these addresses"
          name="deny"
          hint="One per line as well. Stronger than the list of those who are allowed."
          value={options.deny}
        />
      </div>
    </>
  )
}

interface NumberFieldProps {
  readonly label: string
  readonly name: string
  readonly hint: string
  readonly value: number | undefined
  readonly min?: number
  readonly max: number
}

function NumberField({ value, min = 1, ...rest }: NumberFieldProps) {
  return (
    <TextField
      {...rest}
      type="number"
      inputMode="numeric"
      min={min}
      step={1}
      defaultValue={text(value)}
      placeholder="No limit"
    />
  )
}

function Bandwidth({ value }: { value: number | undefined }) {
  const shown = value === undefined ? undefined : showBandwidth(value)
  return (
    <Field
      label="Bandwidth"
      name="bandwidth"
      hint="Of all players together, each way. 1 MB/s is 8 Mbit/s; who wants more waits, nobody is cut."
    >
      {(control) => (
        <div class="with-unit">
          <input
            type="number"
            inputMode="decimal"
            min={0}
            step="any"
            placeholder="No limit"
            defaultValue={shown?.value ?? ''}
            {...control}
          />
          <select name="bandwidthUnit" aria-label="Unit of the bandwidth">
            {Object.keys(bandwidthUnits).map((unit) => (
              <option key={unit} {...selected(unit === (shown?.unit ?? 'MB/s'))}>
                {unit}
              </option>
            ))}
          </select>
        </div>
      )}
    </Field>
  )
}

const proxyProtocols = { none: 'Off', v1: 'Version 1 (text)', v2: 'Version 2 (binary)' } as const

function ProxyProtocol({ value = 'none', hasUdp }: { value: AllocationOptions['proxyProtocol']; hasUdp: boolean }) {
  return (
    <Field
      label="PROXY protocol"
      name="proxyProtocol"
      hint="Tells the service each player’s own address. The service must expect it, else nobody can join. Holds for new players."
    >
      {(control) => (
        <select {...control}>
          {Object.entries(proxyProtocols)
            .filter(([version]) => version !== 'v1' || !hasUdp || value === 'v1')
            .map(([version, label]) => (
              <option key={version} value={version} {...selected(version === value)}>
                {label}
              </option>
            ))}
        </select>
      )}
    </Field>
  )
}

interface RulesProps {
  readonly label: string
  readonly name: 'allow' | 'deny'
  readonly hint: string
  readonly value: readonly string[] | undefined
}

function Rules({ value = [], ...field }: RulesProps) {
  return (
    <Field {...field}>
      {(control) => (
        <textarea
          rows={4}
          spellcheck={false}
          autocomplete="off"
          class="mono"
          defaultValue={value.join('\n')}
          {...control}
        />
      )}
    </Field>
  )
}

/** So that a form's reset comes back to it, as to an input's `defaultValue`. */
function selected(is: boolean): object {
  return { defaultSelected: is }
}

function text(value: number | undefined): string {
  return value === undefined ? '' : String(value)
}
