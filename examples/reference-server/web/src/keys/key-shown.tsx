import type { ApiKeyEntry } from '@sallyport/relay/client'
import { CopyBox } from '../ui/copy.js'
import { ShownOnce } from '../ui/shown-once.js'

interface KeyShownProps {
  readonly apiKey: string
  readonly entry: ApiKeyEntry
  readonly onClose: () => void
}

/** A key that was just made, the only time that it is there to be copied. */
export function KeyShown({ apiKey, entry, onClose }: KeyShownProps) {
  // Double quotes: Windows knows no others.
  const command = `curl -H "Authorization: ApiKey ${apiKey}" ${location.origin}/api/auth/session`
  return (
    <ShownOnce title={`Key “${entry.name}”`} confirm="I have stored the key" onClose={onClose}>
      <p>
        <strong>Copy it now. It is not shown again</strong>: the panel keeps only a fingerprint of it. Whoever has the
        key can do what it may do.
      </p>
      <CopyBox text={apiKey} label="API key" />
      <p>To try it:</p>
      <CopyBox text={command} label="Command that tries the key" />
      {entry.allowedIps.length > 0 && (
        <p class="text-light">It works from the allowed addresses only: {entry.allowedIps.join(', ')}.</p>
      )}
    </ShownOnce>
  )
}
