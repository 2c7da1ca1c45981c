import { useLive } from '../live.js'
import { Form, type FormFields, Submit } from '../ui/form.js'
import { Section } from '../ui/page.js'
import { say } from '../ui/say.js'
import { changeAll } from './change-allocation.js'
import { withLines } from './create-problems.js'
import { OptionFields } from './option-fields.js'
import { readOptions } from './option-values.js'
import { resetLater } from './reset-later.js'
import type { TunnelProps } from './tunnel-head.js'
import { meant, TwinChoice, twinOf } from './twin.js'

/** Limits, and who may join. */
export function OptionsSection({ allocation, tunnel }: TunnelProps) {
  const { apply } = useLive()
  const twin = twinOf(tunnel, allocation)
  const isSame = twin !== undefined && sorted(twin.options) === sorted(allocation.options)
  const save = async (fields: FormFields) => {
    const options = readOptions(fields, allocation.options)
    if (Object.keys(options).length === 0) return say('Nothing was changed', 'info')
    const showSaved = resetLater(fields.element)
    try {
      await changeAll(meant(allocation, twin, fields.checked('twin')), { options }, apply)
    } catch (error) {
      throw withLines(error, fields.raw)
    }
    showSaved()
    say('Saved, and in force')
  }
  return (
    <Section
      title="Limits, and who may join"
      hint="An empty field is no limit. What you save holds at once, for present players too: who may not join any more is cut."
    >
      <Form onSubmit={save} label="Limits, and who may join">
        <OptionFields options={allocation.options} hasUdp={allocation.protocol === 'udp'} />
        <TwinChoice twin={twin} isSame={isSame} words="Save the same changes for" />
        <Submit>Save limits</Submit>
      </Form>
    </Section>
  )
}

function sorted(options: object): string {
  return JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)))
}
