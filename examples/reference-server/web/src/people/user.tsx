import type { User as UserEntry } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { useRoute } from 'preact-iso/router'
import { api, unwrap } from '../api.js'
import { useSession } from '../session.js'
import { Badge } from '../ui/badge.js'
import { CopyBox } from '../ui/copy.js'
import { Time } from '../ui/format.js'
import { NotAllowed } from '../ui/not-allowed.js'
import { Page, Section } from '../ui/page.js'
import { type Resource, useResource } from '../ui/resource.js'
import { Loaded } from '../ui/states.js'
import { changeUser, type UserChange } from './change-user.js'
import { EditPermissions } from './edit-permissions.js'
import { EditProfile } from './edit-profile.js'
import { PermissionList } from './permission-list.js'
import { OwnQuotas } from './quotas.js'
import { UserAccess } from './user-access.js'

/** One user: who they are, what they may do, and what can be done about them. */
export function User() {
  const { may } = useSession()
  const { id = '' } = useRoute().params
  if (!may('users:read')) return <NotAllowed title="User" permission="users:read" />
  return <UserPage key={id} id={id} />
}

function UserPage({ id }: { id: string }) {
  const resource = useResource(async () => {
    const { user } = await unwrap(api.GET('/api/users/{id}', { params: { path: { id } } }))
    return user
  })
  const { data } = resource
  return (
    <Page title={data ? (data.name ?? data.email) : 'User'} actions={<a href="/users">All users</a>}>
      <Loaded resource={resource} lines={8}>
        {(user) => <Parts user={user} resource={resource} />}
      </Loaded>
    </Page>
  )
}

function Parts({ user, resource }: { user: UserEntry; resource: Resource<UserEntry> }) {
  const { user: self, may, reload } = useSession()
  const [asked, setAsked] = useState<'profile' | 'permissions'>()
  const isSelf = self?.id === user.id
  // Nobody changes somebody who may do what they may not.
  const mayChange = may('users:write') && user.permissions.every(may)
  const change = async (body: UserChange) => {
    const changed = await changeUser(user.id, body)
    resource.set(() => changed)
    // What the page offers follows what one may do.
    if (isSelf) await reload()
  }
  const edit = { user, isSelf, change }
  const close = () => setAsked(undefined)
  const button = (words: string, label: string, what: 'profile' | 'permissions') => (
    <button type="button" class="outline small" aria-label={label} onClick={() => setAsked(what)}>
      {words}
    </button>
  )
  return (
    <>
      <Section title="Profile" actions={mayChange && button('Edit', 'Edit profile', 'profile')}>
        <dl class="particulars">
          <dt>E-mail</dt>
          <dd>{user.email}</dd>
          <dt>Name</dt>
          <dd>{user.name === null ? <span class="text-light">not given</span> : <bdi>{user.name}</bdi>}</dd>
          <dt>State</dt>
          <dd class="hstack gap-1">
            <Badge variant={user.suspended ? 'warning' : 'success'}>{user.suspended ? 'Suspended' : 'Active'}</Badge>
            {isSelf && <Badge>You</Badge>}
          </dd>
          <dt>Since</dt>
          <dd>
            <Time at={user.createdAt} />
          </dd>
          <dt>User ID</dt>
          <dd>
            <CopyBox text={user.id} label="User ID" />
          </dd>
          {may('audit:read') && (
            <>
              <dt>Audit</dt>
              <dd class="hstack">
                <a href={`/audit?actor=${user.id}`}>What they did</a>
                <a href={`/audit?target=${user.id}`}>What was done to them</a>
              </dd>
            </>
          )}
        </dl>
      </Section>
      <Section title="Permissions" actions={mayChange && button('Change', 'Change permissions', 'permissions')}>
        <PermissionList permissions={user.permissions} />
      </Section>
      <OwnQuotas
        known={['allocationsPerUser']}
        quotas={user.quotas}
        whose="this user"
        {...(mayChange && { onChange: (quotas) => change({ quotas }) })}
      />
      {mayChange && <UserAccess {...edit} />}
      {asked === 'profile' && <EditProfile {...edit} onClose={close} />}
      {asked === 'permissions' && <EditPermissions {...edit} onClose={close} />}
    </>
  )
}
