import type { Settings as SettingsEntry } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'
import { useSession } from '../session.js'
import { NotAllowed } from '../ui/not-allowed.js'
import { Page } from '../ui/page.js'
import { useResource } from '../ui/resource.js'
import { Loaded } from '../ui/states.js'
import { Features } from './features.js'
import { sectionSchemas } from './schema.js'
import { SettingsSection } from './settings-section.js'

/** Fields by name; sections of plugins are not known to the client's types. */
export type Fields = Readonly<Record<string, unknown>>
/** Changes fields of a section at once on the whole panel; `null` gives one its default. */
export type Patch = (change: Record<string, unknown>) => Promise<void>

export function Settings() {
  const { may } = useSession()
  return may('settings:write') ? <Sections /> : <NotAllowed title="Settings" permission="settings:write" />
}

function Sections() {
  const resource = useResource<SettingsEntry>(() => unwrap(api.GET('/api/settings')))
  // Nice to have: without it nothing is known of defaults and bounds.
  const schemas = useResource(sectionSchemas)
  const patch =
    (section: string): Patch =>
    async (change) => {
      const settings = await unwrap(api.PATCH('/api/settings', { body: { [section]: change } }))
      resource.set(() => settings)
    }
  return (
    <Page title="Settings">
      <Loaded resource={resource} lines={8}>
        {(settings) =>
          Object.entries(settings as Readonly<Record<string, Fields>>).map(([name, fields]) =>
            name === 'features' ? (
              <Features key={name} flags={fields} schema={schemas.data?.[name]} patch={patch(name)} />
            ) : (
              <SettingsSection
                key={name}
                name={name}
                fields={fields}
                schema={schemas.data?.[name]}
                patch={patch(name)}
              />
            ),
          )
        }
      </Loaded>
    </Page>
  )
}
