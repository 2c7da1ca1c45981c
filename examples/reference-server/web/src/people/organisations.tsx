import type { Organisation } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { api, unwrap } from '../api.js'
import { useSession, useUser } from '../session.js'
import { Badge } from '../ui/badge.js'
import { CopyBox } from '../ui/copy.js'
import { FormDialog } from '../ui/dialog.js'
import { type FormFields, TextField } from '../ui/form.js'
import { Time } from '../ui/format.js'
import { Page, Section } from '../ui/page.js'
import { PagedTable } from '../ui/paged-table.js'
import { usePages } from '../ui/pages.js'
import { Empty } from '../ui/states.js'
import type { Column } from '../ui/table.js'
import { maxNameLength } from './limits.js'
import { roleTitle } from './roles.js'

const columns: readonly Column<Organisation>[] = [
  {
    title: 'Organisation',
    cell: ({ id, name }) => (
      <div class="named">
        <a href={`/organisations/${id}`}>
          <bdi>{name}</bdi>
        </a>
      </div>
    ),
  },
  {
    title: 'You are',
    cell: ({ role }) => (role ? <Badge>{roleTitle(role)}</Badge> : <span class="text-light">not a member</span>),
  },
  { title: 'Since', cell: ({ createdAt }) => <Time at={createdAt} /> },
]

export function Organisations() {
  const { may } = useSession()
  const { id: userId } = useUser()
  const [isCreating, setCreating] = useState(false)
  const pages = usePages(async (query) => {
    const { organisations, total } = await unwrap(api.GET('/api/organisations', { params: { query } }))
    return { items: organisations, total }
  })
  const create = (
    <button type="button" onClick={() => setCreating(true)}>
      Create organisation
    </button>
  )
  return (
    <Page title="Organisations" actions={pages.data?.total ? create : undefined}>
      <section class="card section">
        <PagedTable
          pages={pages}
          label="Organisations"
          noun="organisations"
          columns={columns}
          textOf={({ name, role }) => `${name} ${role ?? ''}`}
          empty={
            <Empty title={may('organisations:read') ? 'There are no organisations' : 'You are in no organisation'}>
              <p>In an organisation several people look after the same devices and tunnels.</p>
              {create}
            </Empty>
          }
        />
      </section>
      <Section title="To be added to another" hint="Give this to an owner or admin of that organisation.">
        <CopyBox text={userId} label="Your user ID" />
      </Section>
      {isCreating && <CreateOrganisation onCreated={pages.put} onClose={() => setCreating(false)} />}
    </Page>
  )
}

interface CreateOrganisationProps {
  readonly onCreated: (organisation: Organisation) => void
  readonly onClose: () => void
}

function CreateOrganisation({ onCreated, onClose }: CreateOrganisationProps) {
  const { route } = useLocation()
  const { reload } = useSession()
  const create = async (fields: FormFields) => {
    const body = { name: fields.text('name') }
    const { organisation } = await unwrap(api.POST('/api/organisations', { body }))
    // What one belongs to is part of who one is.
    await reload()
    onCreated(organisation)
    if (fields.element.isConnected) route(`/organisations/${organisation.id}`)
  }
  return (
    <FormDialog title="Create an organisation" submit="Create" onSubmit={create} onClose={onClose}>
      <p>You will be its owner, and can then add others.</p>
      <TextField label="Name" name="name" required maxLength={maxNameLength} autocomplete="organization" autoFocus />
    </FormDialog>
  )
}
