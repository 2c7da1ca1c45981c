import type { Member, Organisation } from '@sallyport/relay/client'
import { useId, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { useSession, useUser } from '../session.js'
import { Badge } from '../ui/badge.js'
import { plural } from '../ui/format.js'
import { Section } from '../ui/page.js'
import { Empty } from '../ui/states.js'
import { type Column, Table } from '../ui/table.js'
import { AddMember } from './add-member.js'
import { ChangeRole } from './change-role.js'
import { RemoveMember } from './remove-member.js'
import { roleTitle, useRights } from './roles.js'

const filterFrom = 20
const maxShown = 200

interface MembersProps {
  readonly organisation: Organisation
  readonly members: readonly Member[]
  readonly set: (change: (before: readonly Member[]) => readonly Member[]) => void
  /** Told when the user's own role is another. */
  readonly onOwnRole: () => Promise<void>
}

export function Members({ organisation, members, set, onOwnRole }: MembersProps) {
  const { id: ownId } = useUser()
  const { may, reload } = useSession()
  const { route } = useLocation()
  const { manages, owns } = useRights(organisation)
  const [asked, setAsked] = useState<'add' | { do: 'change' | 'remove'; member: Member }>()
  const [words, setWords] = useState('')
  const id = useId()
  const close = () => setAsked(undefined)
  const ownRole = async () => {
    await reload()
    await onOwnRole()
  }
  const put = async (member: Member) => {
    set((before) =>
      before.some(({ userId }) => userId === member.userId)
        ? before.map((one) => (one.userId === member.userId ? member : one))
        : [...before, member],
    )
    if (member.userId === ownId) await ownRole()
  }
  const removed = async (userId: string) => {
    set((before) => before.filter((one) => one.userId !== userId))
    if (userId !== ownId) return
    await reload()
    if (may('organisations:read') || may('organisations:write')) await onOwnRole()
    else if (location.pathname === `/organisations/${organisation.id}`) route('/organisations')
  }
  const columns: Column<Member>[] = [
    {
      title: 'Member',
      cell: ({ userId, name, email }) => (
        <div class="named">
          {may('users:read') ? (
            <a href={`/users/${userId}`}>
              <bdi>{name ?? email}</bdi>
            </a>
          ) : (
            <bdi>{name ?? email}</bdi>
          )}
          {name !== null && <small class="text-light">{email}</small>}
        </div>
      ),
    },
    {
      title: 'Role',
      cell: ({ userId, role }) => (
        <span class="hstack gap-1">
          {roleTitle(role)}
          {userId === ownId && <Badge>You</Badge>}
        </span>
      ),
    },
  ]
  const actions: Column<Member> = {
    title: 'Actions',
    actions: true,
    cell: (member) => {
      const mayChange = manages && (owns || member.role !== 'owner')
      const isSelf = member.userId === ownId
      const who = member.name ?? member.email
      return (
        <>
          {mayChange && (
            <button
              type="button"
              class="outline small"
              aria-label={`Change role of ${who}`}
              onClick={() => setAsked({ do: 'change', member })}
            >
              Change role
            </button>
          )}
          {(mayChange || isSelf) && (
            <button
              type="button"
              class="outline small"
              data-variant="danger"
              aria-label={isSelf ? 'Leave the organisation' : `Remove ${who}`}
              onClick={() => setAsked({ do: 'remove', member })}
            >
              {isSelf ? 'Leave' : 'Remove'}
            </button>
          )}
        </>
      )
    },
  }
  const wanted = words.trim().toLowerCase()
  const found = members.filter(({ name, email, role }) => `${name} ${email} ${role}`.toLowerCase().includes(wanted))
  const add = manages && (
    <button type="button" class="small" onClick={() => setAsked('add')}>
      Add member
    </button>
  )
  return (
    <Section title="Members" actions={add}>
      {members.length === 0 && <Empty title="Nobody is in this organisation" />}
      {members.length > filterFrom && (
        <div class="list-filter">
          <label for={id}>Filter</label>
          <input id={id} type="search" value={words} onInput={({ currentTarget }) => setWords(currentTarget.value)} />
        </div>
      )}
      {found.length > 0 && (
        <Table
          label="Members"
          columns={manages || organisation.role ? [...columns, actions] : columns}
          rows={found.slice(0, maxShown)}
          rowKey={({ userId }) => userId}
        />
      )}
      {members.length > filterFrom && (
        <p class="text-light paging" role="status">
          {found.length > maxShown
            ? `The first ${maxShown} of ${plural(found.length, 'member')}. Filter for the others.`
            : `${found.length} of ${plural(members.length, 'member')}`}
        </p>
      )}
      {asked === 'add' && <AddMember organisation={organisation} members={members} onAdded={put} onClose={close} />}
      {typeof asked === 'object' && asked.do === 'change' && (
        <ChangeRole organisation={organisation} member={asked.member} onChanged={put} onClose={close} />
      )}
      {typeof asked === 'object' && asked.do === 'remove' && (
        <RemoveMember
          organisation={organisation}
          member={asked.member}
          isSelf={asked.member.userId === ownId}
          onRemoved={removed}
          onClose={close}
        />
      )}
    </Section>
  )
}
