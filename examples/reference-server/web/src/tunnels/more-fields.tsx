import { Field, TextField } from '../ui/form.js'
import { OptionFields } from './option-fields.js'

/** Names of the fields here: what the panel says of one unfolds them. */
export const foldedFields: readonly string[] = [
  'name',
  'localHost',
  'port',
  'region',
  'options',
  'allow',
  'deny',
  'bandwidth',
]

interface MoreFieldsProps {
  readonly isOpen: boolean
  readonly setOpen: (isOpen: boolean) => void
  /** Of the relays; with none there is nothing to choose. */
  readonly regions: readonly string[]
  readonly hasUdp: boolean
}

/** What a tunnel can do without, folded away. */
export function MoreFields({ isOpen, setOpen, regions, hasUdp }: MoreFieldsProps) {
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>More</summary>
      <div>
        <div class="fields">
          <TextField label="Name" name="name" hint="Yours; players do not see it." maxLength={100} autocomplete="off" />
          <TextField
            label="Local host"
            name="localHost"
            hint="Empty: the device itself. Another must be allowed by the agent."
            placeholder="127.0.0.1"
            maxLength={253}
            autocomplete="off"
            spellcheck={false}
          />
          <TextField
            label="Public port"
            name="port"
            hint="Empty: a free one."
            type="number"
            inputMode="numeric"
            min={1}
            max={65_535}
            step={1}
            placeholder="Any"
          />
          {regions.length > 0 && (
            <Field
              label="Region"
              name="region"
              hint="Near to the players is best. Another is taken if none is free there."
            >
              {(control) => (
                <select {...control}>
                  <option value="">Any</option>
                  {regions.map((region) => (
                    <option key={region}>{region}</option>
                  ))}
                </select>
              )}
            </Field>
          )}
        </div>
        <h3 class="fold-title">Limits, and who may join</h3>
        <OptionFields options={{}} hasUdp={hasUdp} />
      </div>
    </details>
  )
}
