import { useId, useState } from 'preact/hooks'
import { wordsOf } from '../api.js'
import { useLive } from '../live.js'
import { FormDialog } from '../ui/dialog.js'
import { Section } from '../ui/page.js'
import { say } from '../ui/say.js'
import type { SectionSchema } from './schema.js'
import type { Fields, Patch } from './settings.js'
import { SwitchOffTunnels } from './switch-off-tunnels.js'
import { wordsFor } from './words.js'

interface FeaturesProps {
  readonly flags: Fields
  readonly schema: SectionSchema | undefined
  readonly patch: Patch
}

/** A switch for each feature, in force at once. */
export function Features({ flags, schema, patch }: FeaturesProps) {
  const { retry } = useLive()
  const [asked, setAsked] = useState(false)
  const turn = async (name: string, on: boolean) => {
    await patch({ [name]: on })
    // Else it would be noticed at the next try.
    if (name === 'tunnels') retry()
    say(`${wordsFor(`features.${name}`).title} ${on ? 'on' : 'off'}.`)
  }
  return (
    <Section title={wordsFor('features').title}>
      {Object.entries(flags).map(([name, value]) => (
        <Flag
          key={name}
          title={wordsFor(`features.${name}`).title}
          about={wordsFor(`features.${name}`).about ?? schema?.[name]?.description}
          isOn={value === true}
          onTurn={async (on) => {
            if (name === 'tunnels' && !on) setAsked(true)
            else await turn(name, on)
          }}
        />
      ))}
      {asked && (
        <FormDialog
          title="Switch off tunnels?"
          submit="Switch off"
          danger
          onSubmit={() => turn('tunnels', false)}
          onClose={() => setAsked(false)}
        >
          <SwitchOffTunnels />
        </FormDialog>
      )}
    </Section>
  )
}

interface FlagProps {
  readonly title: string
  readonly about: string | undefined
  readonly isOn: boolean
  readonly onTurn: (on: boolean) => Promise<void>
}

function Flag({ title, about, isOn, onTurn }: FlagProps) {
  const id = useId()
  const [busy, setBusy] = useState(false)
  const turn = async (event: Event) => {
    // It turns when the panel has turned it.
    event.preventDefault()
    if (busy) return
    setBusy(true)
    try {
      await onTurn(!isOn)
    } catch (error) {
      say(wordsOf(error), 'danger')
    } finally {
      setBusy(false)
    }
  }
  return (
    <div class="flag">
      <input
        id={id}
        type="checkbox"
        // biome-ignore lint/a11y/useAriaPropsForRole: a checkbox has its state
        role="switch"
        checked={isOn}
        aria-disabled={busy || undefined}
        aria-describedby={about && `${id}-about`}
        onClick={turn}
      />
      <div>
        <label for={id}>{title}</label>
        {about && (
          <p id={`${id}-about`} class="text-light">
            {about}
          </p>
        )}
      </div>
    </div>
  )
}
