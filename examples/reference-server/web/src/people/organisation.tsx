import type { Member, Organisation as OrganisationEntry } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { useRoute } from 'preact-iso/router'
import { api, unwrap } from '../api.js'
import { useSession } from '../session.js'
import { Time } from '../ui/format.js'
import { Page, Section } from '../ui/page.js'
import { type Resource, useResource } from '../ui/resource.js'
import { Loaded } from '../ui/states.js'
import { DeleteOrganisation } from './delete-organisation.js'
import { Members } from './members.js'
import { OwnQuotas } from './quotas.js'
import { RenameOrganisation } from './rename-organisation.js'
import { roleTitle, useRights } from './roles.js'

interface Data {
  readonly organisation: OrganisationEntry
  readonly members: readonly Member[]
}

export function Organisation() {
  const { id = '' } = useRoute().params
  return <OrganisationPage key={id} id={id} />
}

function OrganisationPage({ id }: { id: string }) {
  const resource = useResource<Data>(() => unwrap(api.GET('/api/organisations/{id}', { params: { path: { id } } })))
  return (
    <Page
      title={resource.data?.organisation.name ?? 'Organisation'}
      actions={<a href="/organisations">All organisations</a>}
    >
      <Loaded resource={resource} lines={8}>
        {(data) => <Parts {...data} resource={resource} />}
      </Loaded>
    </Page>
  )
}

function Parts({ organisation, members, resource }: Data & { resource: Resource<Data> }) {
  const { may } = useSession()
  const rights = useRights(organisation)
  const [asked, setAsked] = useState<'rename' | 'delete'>()
  const close = () => setAsked(undefined)
  const changed = (organisation: OrganisationEntry) => resource.set((before) => ({ ...before, organisation }))
  return (
    <>
      <Section
        title="About"
        actions={
          rights.manages && (
            <button type="button" class="outline small" onClick={() => setAsked('rename')}>
              Rename
            </button>
          )
        }
      >
        <dl class="particulars">
          <dt>Name</dt>
          <dd>
            <bdi>{organisation.name}</bdi>
          </dd>
          <dt>You are</dt>
          <dd>{organisation.role ? roleTitle(organisation.role) : 'not a member'}</dd>
          <dt>Since</dt>
          <dd>
            <Time at={organisation.createdAt} />
          </dd>
          {may('audit:read') && (
            <>
              <dt>Audit</dt>
              <dd>
                <a href={`/audit?target=${organisation.id}`}>What was done to it</a>
              </dd>
            </>
          )}
        </dl>
      </Section>
      <Members
        organisation={organisation}
        members={members}
        set={(change) => resource.set((before) => ({ ...before, members: change(before.members) }))}
        onOwnRole={resource.reload}
      />
      <OwnQuotas
        known={['allocationsPerOrganisation']}
        quotas={organisation.quotas}
        whose="this organisation"
        {...(rights.setsQuotas && {
          onChange: async (quotas) => {
            const path = { id: organisation.id }
            changed(
              (await unwrap(api.PATCH('/api/organisations/{id}', { params: { path }, body: { quotas } }))).organisation,
            )
          },
        })}
      />
      {rights.owns && (
        <Section title="Delete" hint="Removes the organisation with all of its devices and tunnels.">
          <button type="button" class="outline small" data-variant="danger" onClick={() => setAsked('delete')}>
            Delete organisation
          </button>
        </Section>
      )}
      {asked === 'rename' && <RenameOrganisation organisation={organisation} onRenamed={changed} onClose={close} />}
      {asked === 'delete' && (
        <DeleteOrganisation organisation={organisation} members={members.length} onClose={close} />
      )}
    </>
  )
}
