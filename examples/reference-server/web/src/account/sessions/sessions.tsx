import type { Session } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { api, unwrap } from '../../api.js'
import { Action } from '../../ui/action.js'
import { Badge } from '../../ui/badge.js'
import { Time } from '../../ui/format.js'
import { useFresh } from '../../ui/fresh.js'
import { Section } from '../../ui/page.js'
import { isRefused } from '../../ui/problem.js'
import type { Resource } from '../../ui/resource.js'
import { Loaded } from '../../ui/states.js'
import { type Column, Table } from '../../ui/table.js'
import { EndOthers } from './end-others.js'
import { describeUserAgent } from './user-agent.js'

const firstShown = 20

const methods: Readonly<Record<string, string>> = {
  password: 'password',
  totp: 'app code',
  email: 'e-mail code',
  'recovery-code': 'recovery code',
  passkey: 'passkey',
}

/** Where one is signed in. */
export function Sessions({ sessions }: { sessions: Resource<readonly Session[]> }) {
  const withFresh = useFresh()
  const [isEnding, setEnding] = useState(false)
  const [isAllShown, setAllShown] = useState(false)
  const others = sessions.data?.filter(({ current }) => !current).length ?? 0

  const end = async ({ id }: Session) => {
    try {
      await withFresh(() => unwrap(api.DELETE('/api/auth/sessions/{id}', { params: { path: { id } } })))
    } catch (error) {
      // It has ended in the meantime.
      if (!isRefused(error, 'not_found')) throw error
    }
    await sessions.reload()
  }
  const columns: readonly Column<Session>[] = [
    {
      title: 'Browser',
      cell: (session) => (
        <span>
          <span title={session.userAgent ?? undefined}>{describeUserAgent(session.userAgent)}</span>{' '}
          {session.current && <Badge variant="success">This one</Badge>}
        </span>
      ),
    },
    { title: 'Address', cell: ({ ip }) => <span class="long">{ip}</span> },
    { title: 'Last seen', cell: ({ current, lastSeenAt }) => (current ? 'now' : <Time at={lastSeenAt} />) },
    {
      title: 'Signed in',
      cell: (session) => (
        <span>
          <Time at={session.createdAt} /> by {session.methods.map((method) => methods[method] ?? method).join(', ')}
        </span>
      ),
    },
    {
      title: 'Actions',
      actions: true,
      cell: (session) =>
        !session.current && (
          <Action
            onAction={() => end(session)}
            done="The session has ended."
            danger
            label={`End the session of ${describeUserAgent(session.userAgent)}, ${session.ip}`}
          >
            End
          </Action>
        ),
    },
  ]
  return (
    <Section
      title="Sessions"
      hint="Where you are signed in. End what you do not know, and change your password then."
      actions={
        others > 0 && (
          <button type="button" class="outline small" data-variant="danger" onClick={() => setEnding(true)}>
            End all others
          </button>
        )
      }
    >
      <Loaded resource={sessions} lines={3}>
        {(list) => {
          const sorted = [...list].sort((one, other) => Number(other.current) - Number(one.current))
          const hidden = isAllShown ? 0 : Math.max(0, sorted.length - firstShown)
          return (
            <>
              <Table
                label="Sessions"
                columns={columns}
                rows={hidden > 0 ? sorted.slice(0, firstShown) : sorted}
                rowKey={({ id }) => id}
              />
              {hidden > 0 && (
                <p class="buttons">
                  <button type="button" class="outline small" onClick={() => setAllShown(true)}>
                    Show {hidden} more
                  </button>
                </p>
              )}
            </>
          )
        }}
      </Loaded>
      {isEnding && <EndOthers count={others} onEnded={sessions.reload} onClose={() => setEnding(false)} />}
    </Section>
  )
}
