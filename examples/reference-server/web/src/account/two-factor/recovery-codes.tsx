import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useUser } from '../../session.js'
import { Copy } from '../../ui/copy.js'
import { ShownOnce } from '../../ui/shown-once.js'
import { CodeSheet } from './code-sheet.js'

interface RecoveryCodesProps {
  readonly codes: readonly string[]
  readonly onClose: () => void
}

/** Ten codes, shown this once: to be copied, saved or printed. */
export function RecoveryCodes({ codes, onClose }: RecoveryCodesProps) {
  const { email } = useUser()
  const [madeAt] = useState(() => new Date())
  useCodeSheet(codes, email, madeAt)
  return (
    <ShownOnce
      title="Your recovery codes"
      confirm="I have put them where I find them without my phone"
      onClose={onClose}
    >
      <p>
        Each of them signs you in once when the app is gone. They are shown only now. Keep them on paper or in a
        password manager.
      </p>
      <ol class="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <p class="buttons">
        <Copy text={codes.join('\n')} label="Copy the recovery codes" />
        <button type="button" class="outline small" onClick={() => download(codes, email, madeAt)}>
          Download
        </button>
        <button type="button" class="outline small" onClick={() => print()}>
          Print
        </button>
      </p>
    </ShownOnce>
  )
}

/** Puts on paper, however the browser is told to print, the codes and nothing else of the page. */
function useCodeSheet(codes: readonly string[], email: string, madeAt: Date): void {
  useEffect(() => {
    const sheet = document.createElement('div')
    sheet.className = 'sheet'
    render(<CodeSheet codes={codes} email={email} madeAt={madeAt} />, sheet)
    document.body.append(sheet)
    return () => {
      render(null, sheet)
      sheet.remove()
    }
  }, [codes, email, madeAt])
}

function download(codes: readonly string[], email: string, madeAt: Date): void {
  const lines = [
    `Recovery codes for ${email} at ${location.origin}`,
    `Made on ${madeAt.toISOString().slice(0, 10)}. Each works once.`,
    '',
    ...codes,
    '',
  ]
  const url = URL.createObjectURL(new Blob([lines.join('\r\n')], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `recovery-codes-${location.hostname}.txt`
  link.click()
  // Not at once: some browsers read it later.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
