import { useLive } from '../live.js'
import { Form, type FormFields, Submit, TextField } from '../ui/form.js'
import { Section } from '../ui/page.js'
import { say } from '../ui/say.js'
import { type AllocationChange, changeAll } from './change-allocation.js'
import { explainRefusal } from './create-problems.js'
import { addressOf, targetOf } from './pairs.js'
import { resetLater } from './reset-later.js'
import type { TunnelProps } from './tunnel-head.js'
import { meant, TwinChoice, twinOf } from './twin.js'

/** Where the agent brings players, and what the tunnel is called. */
export function TargetSection({ allocation, tunnel }: TunnelProps) {
  const { apply } = useLive()
  const twin = twinOf(tunnel, allocation)
  const isSame = twin !== undefined && targetOf(twin) === targetOf(allocation) && twin.name === allocation.name
  const save = async (fields: FormFields) => {
    const change = changeOf(fields, allocation)
    if (Object.keys(change).length === 0) return say('Nothing was changed', 'info')
    const showSaved = resetLater(fields.element)
    try {
      await changeAll(meant(allocation, twin, fields.checked('twin')), change, apply)
    } catch (error) {
      throw explainRefusal(error, { port: undefined, hasRegions: false, textOf: fields.raw })
    }
    showSaved()
    say('Saved')
  }
  return (
    <Section
      title="Name and local service"
      hint="Where the agent brings players. A change holds for those who join from then on; who plays stays where they are."
    >
      <Form onSubmit={save} label="Name and local service">
        <div class="fields">
          <TextField
            label="Name"
            name="name"
            maxLength={100}
            autocomplete="off"
            defaultValue={allocation.name ?? ''}
            placeholder={addressOf(allocation)}
          />
          <TextField
            label="Local host"
            name="localHost"
            required
            maxLength={253}
            autocomplete="off"
            spellcheck={false}
            defaultValue={allocation.localHost}
          />
          <TextField
            label="Local port"
            name="localPort"
            type="number"
            inputMode="numeric"
            min={1}
            max={65_535}
            step={1}
            required
            defaultValue={String(allocation.localPort)}
          />
        </div>
        <TwinChoice twin={twin} isSame={isSame} words="Make the same change for" />
        <Submit>Save</Submit>
      </Form>
    </Section>
  )
}

function changeOf(fields: FormFields, { name, localHost, localPort }: TunnelProps['allocation']): AllocationChange {
  const change: AllocationChange = {}
  const newName = fields.text('name') || null
  if (newName !== name) change.name = newName
  if (fields.text('localHost') !== localHost) change.localHost = fields.text('localHost')
  const port = fields.number('localPort')
  if (port !== undefined && port !== localPort) change.localPort = port
  return change
}
