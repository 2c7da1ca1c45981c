import type { Device } from '@sallyport/relay/client'
import { Time } from '../ui/format.js'
import { useNow } from './use-now.js'

/** Which device asks. Its name is its own word. */
export function RequestFacts({ device }: { device: Device }) {
  const { name, kind, createdAt, expiresAt } = device
  return (
    <dl class="request">
      <div>
        <dt>Device</dt>
        <dd>
          <bdi class="name strong">{name}</bdi>
        </dd>
      </div>
      <div>
        <dt>Kind</dt>
        <dd>
          {kind === 'server'
            ? 'Relay: takes players on a server of yours'
            : 'Agent: brings players to a machine at home'}
        </dd>
      </div>
      <div>
        <dt>Asked</dt>
        <dd>
          <Time at={createdAt} />
        </dd>
      </div>
      {expiresAt !== null && (
        <div>
          <dt>Expires</dt>
          <dd>
            <Remaining until={expiresAt} />
          </dd>
        </div>
      )}
    </dl>
  )
}

function Remaining({ until }: { until: string }) {
  const seconds = Math.max(0, (Date.parse(until) - useNow()) / 1_000)
  if (seconds < 60) return <>in less than a minute</>
  const minutes = Math.round(seconds / 60)
  return <>in {minutes === 1 ? 'a minute' : `${minutes} minutes`}</>
}
