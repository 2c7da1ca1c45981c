import type { Passkey } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { api, unwrap } from '../../api.js'
import { Badge } from '../../ui/badge.js'
import { Time } from '../../ui/format.js'
import { Section } from '../../ui/page.js'
import { canUsePasskeys } from '../../ui/passkey.js'
import { isRefused } from '../../ui/problem.js'
import { useResource } from '../../ui/resource.js'
import { Empty, Loaded } from '../../ui/states.js'
import { type Column, Table } from '../../ui/table.js'
import { AddPasskey } from './add-passkey.js'
import { RemovePasskey } from './remove-passkey.js'
import { RenamePasskey } from './rename-passkey.js'

type Open = 'add' | { readonly rename: Passkey } | { readonly remove: Passkey }

export function Passkeys({ hasSecondFactor }: { hasSecondFactor: boolean }) {
  const passkeys = useResource(async () => (await unwrap(api.GET('/api/auth/passkeys'))).passkeys)
  const [open, setOpen] = useState<Open>()
  const close = () => setOpen(undefined)
  // A panel without them has no such address.
  if (isRefused(passkeys.error, 'not_found')) return null

  const columns: readonly Column<Passkey>[] = [
    { title: 'Name', cell: ({ name }) => <bdi class="long">{name}</bdi> },
    { title: 'Added', cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: 'Last used', cell: ({ lastUsedAt }) => <Time at={lastUsedAt} /> },
    { title: 'Kept', cell: (passkey) => <Kept passkey={passkey} /> },
    {
      title: 'Actions',
      actions: true,
      cell: (passkey) => (
        <>
          <button
            type="button"
            class="outline small"
            aria-label={`Rename ${passkey.name}`}
            onClick={() => setOpen({ rename: passkey })}
          >
            Rename
          </button>
          <button
            type="button"
            class="outline small"
            data-variant="danger"
            aria-label={`Remove ${passkey.name}`}
            onClick={() => setOpen({ remove: passkey })}
          >
            Remove
          </button>
        </>
      ),
    },
  ]
  return (
    <Section
      title="Passkeys"
      hint="Sign in by fingerprint, face or PIN: without a password, and without a code."
      actions={
        canUsePasskeys() && (
          <button type="button" class="outline small" onClick={() => setOpen('add')}>
            Add a passkey
          </button>
        )
      }
    >
      {!canUsePasskeys() && (
        <p class="text-light hint">
          {isSecureContext ? 'This browser has no passkeys.' : 'Browsers have passkeys only on addresses with https.'}
        </p>
      )}
      <Loaded resource={passkeys} lines={3}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No passkeys yet">
              <p>
                A passkey is kept by this device, your password manager or a security key. It cannot be guessed or
                phished.
              </p>
            </Empty>
          ) : (
            <Table label="Passkeys" columns={columns} rows={list} rowKey={({ id }) => id} />
          )
        }
      </Loaded>
      {open === 'add' && <AddPasskey onAdded={passkeys.reload} onClose={close} />}
      {typeof open === 'object' && 'rename' in open && (
        <RenamePasskey passkey={open.rename} onRenamed={passkeys.reload} onClose={close} />
      )}
      {typeof open === 'object' && 'remove' in open && (
        <RemovePasskey
          passkey={open.remove}
          isLast={passkeys.data?.length === 1}
          hasSecondFactor={hasSecondFactor}
          onRemoved={passkeys.reload}
          onClose={close}
        />
      )}
    </Section>
  )
}

function Kept({ passkey: { deviceType, backedUp } }: { passkey: Passkey }) {
  if (deviceType === 'singleDevice') return <Badge title="It is lost with the device">On one device</Badge>
  if (backedUp) return <Badge variant="success">Synced</Badge>
  return <Badge title="It could be synced, and is not: it is lost with the device">Not synced</Badge>
}
