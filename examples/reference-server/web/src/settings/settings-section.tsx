import { Action } from '../ui/action.js'
import { Form, type FormFields, Submit } from '../ui/form.js'
import { Section } from '../ui/page.js'
import { say } from '../ui/say.js'
import { mergePatchOf } from './merge-patch.js'
import type { SectionSchema } from './schema.js'
import { readSetting, SettingField, show } from './setting-field.js'
import type { Fields, Patch } from './settings.js'
import { wordsFor } from './words.js'

interface SettingsSectionProps {
  readonly name: string
  readonly fields: Fields
  readonly schema: SectionSchema | undefined
  readonly patch: Patch
}

/** A section of the settings; fields that are not known are shown by what their values are. */
export function SettingsSection({ name, fields, schema, patch }: SettingsSectionProps) {
  const { title, about } = wordsFor(name)
  const names = Object.keys({ ...schema, ...fields })
  const save = async (form: FormFields) => {
    const given = Object.fromEntries(
      names.map((field) => [field, readSetting(form, field, fields[field], schema?.[field])]),
    )
    const change = mergePatchOf(fields, given)
    if (Object.keys(change).length > 0) await patch(change)
    say('The settings are saved. They are in force now.')
  }
  return (
    <Section title={title} hint={about}>
      <Form onSubmit={save} label={title}>
        {names.map((field) => {
          const value = fields[field]
          const known = schema?.[field]
          const words = wordsFor(`${name}.${field}`)
          const isDefault = known !== undefined && 'default' in known && show(known.default) === show(value)
          return (
            <div key={field} class="setting">
              <SettingField
                // Another value from elsewhere is shown; what is typed in other fields stays.
                key={show(value)}
                name={field}
                label={known?.title ?? words.title}
                about={words.about ?? known?.description}
                value={value}
                schema={known}
              />
              {!isDefault && (
                <Action
                  label={`Back to default: ${words.title}`}
                  done="It has its default again."
                  onAction={() => patch({ [field]: null })}
                >
                  Back to default
                </Action>
              )}
            </div>
          )
        })}
        <Submit>Save</Submit>
      </Form>
    </Section>
  )
}
