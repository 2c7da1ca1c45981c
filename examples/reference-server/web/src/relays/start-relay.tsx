import { useId, useState } from 'preact/hooks'
import { CopyBox } from '../ui/copy.js'
import { isHost, isRegion, relayCommand, relayServiceCommand } from './commands.js'

/** The commands with the server's own name in them. */
export function StartRelay() {
  const [host, setHost] = useState('')
  const [region, setRegion] = useState('')
  const id = useId()
  const wanted = host.trim()
  const place = region.trim()
  const isUsable = isHost(wanted) && (place === '' || isRegion(place))
  const problem = wanted !== '' && !isHost(wanted)
  const regionProblem = place !== '' && !isRegion(place)
  return (
    <>
      <div class="fields">
        <div data-field={problem ? 'error' : ''}>
          <label for={`${id}-host`}>Public name or address</label>
          <input
            id={`${id}-host`}
            type="text"
            placeholder="play.example.com"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxLength={253}
            value={host}
            aria-invalid={problem ? 'true' : undefined}
            aria-describedby={`${id}-host-hint`}
            onInput={(event) => setHost(event.currentTarget.value)}
          />
          <div id={`${id}-host-hint`} data-hint>
            {problem ? 'A name such as play.example.com, or an IP address, without a port.' : 'Players are given it.'}
          </div>
        </div>
        <div data-field={regionProblem ? 'error' : ''}>
          <label for={`${id}-region`}>Region (optional)</label>
          <input
            id={`${id}-region`}
            type="text"
            placeholder="eu"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxLength={63}
            value={region}
            aria-invalid={regionProblem ? 'true' : undefined}
            aria-describedby={`${id}-region-hint`}
            onInput={(event) => setRegion(event.currentTarget.value)}
          />
          <div id={`${id}-region-hint`} data-hint>
            {regionProblem ? 'Letters, digits, dots and dashes.' : 'Tunnels can ask for it.'}
          </div>
        </div>
      </div>
      {isUsable ? (
        <>
          <p>Start it in the same folder:</p>
          <CopyBox text={relayCommand(wanted, place)} label="Command that starts the relay" />
          <p>Or, on Linux with systemd, as a service that starts with the server:</p>
          <CopyBox text={relayServiceCommand(wanted, place)} label="Command that makes the relay a service" />
          <p class="text-light">
            In the server’s firewall, open TCP and UDP of port 7350, which agents dial, and of the panel’s range of
            public ports (20000 to 29999, unless the panel is set otherwise).
          </p>
        </>
      ) : (
        <p class="text-light">Enter the server’s public name to see the commands.</p>
      )}
    </>
  )
}
