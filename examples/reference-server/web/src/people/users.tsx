import type { User } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { useSession, useUser } from '../session.js'
import { Badge } from '../ui/badge.js'
import { Time } from '../ui/format.js'
import { NotAllowed } from '../ui/not-allowed.js'
import { Page } from '../ui/page.js'
import { PagedTable } from '../ui/paged-table.js'
import { usePages } from '../ui/pages.js'
import { Empty } from '../ui/states.js'
import type { Column } from '../ui/table.js'
import { CreateUser } from './create-user.js'
import { type NewPassword, PasswordShown } from './password-choice.js'
import { PermissionSummary } from './permission-summary.js'

export function Users() {
  const { may } = useSession()
  return may('users:read') ? <UserList /> : <NotAllowed title="Users" permission="users:read" />
}

function UserList() {
  const { may } = useSession()
  const { id: ownId } = useUser()
  const [isCreating, setCreating] = useState(false)
  const [shown, setShown] = useState<NewPassword>()
  const pages = usePages(async (query) => {
    const { users, total } = await unwrap(api.GET('/api/users', { params: { query } }))
    return { items: users, total }
  })
  const columns: Column<User>[] = [
    {
      title: 'User',
      cell: ({ id, name, email }) => (
        <div class="named">
          <a href={`/users/${id}`}>
            <bdi>{name ?? email}</bdi>
          </a>
          {name !== null && <small class="text-light">{email}</small>}
        </div>
      ),
    },
    {
      title: 'May do',
      cell: ({ permissions }) => <PermissionSummary permissions={permissions} none="Own things only" />,
    },
    {
      title: 'State',
      cell: ({ id, suspended }) => (
        <span class="hstack gap-1">
          <Badge variant={suspended ? 'warning' : 'success'}>{suspended ? 'Suspended' : 'Active'}</Badge>
          {id === ownId && <Badge>You</Badge>}
        </span>
      ),
    },
    { title: 'Since', cell: ({ createdAt }) => <Time at={createdAt} /> },
  ]
  const create = (
    <button type="button" onClick={() => setCreating(true)}>
      Create user
    </button>
  )
  return (
    <Page title="Users" actions={may('users:write') && create}>
      <section class="card section">
        <PagedTable
          pages={pages}
          label="Users"
          noun="users"
          columns={columns}
          textOf={({ name, email, permissions, suspended, id }) =>
            [name, email, ...permissions, suspended ? 'suspended' : 'active', id].join(' ')
          }
          empty={<Empty title="There are no users" />}
        />
      </section>
      {isCreating && (
        <CreateUser
          onCreated={(user, password) => {
            pages.put(user)
            if (password !== undefined) setShown({ email: user.email, password })
          }}
          onClose={() => setCreating(false)}
        />
      )}
      {shown && <PasswordShown {...shown} onClose={() => setShown(undefined)} />}
    </Page>
  )
}
