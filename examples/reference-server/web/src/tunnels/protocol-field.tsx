import type { Transport } from './games.js'

const choices: readonly (readonly [Transport, string])[] = [
  ['tcp', 'TCP'],
  ['udp', 'UDP'],
  ['both', 'TCP and UDP'],
]

interface ProtocolFieldProps {
  readonly value: Transport
  readonly onChange: (value: Transport) => void
}

export function ProtocolField({ value, onChange }: ProtocolFieldProps) {
  return (
    <fieldset class="choice">
      <legend>Protocol</legend>
      {choices.map(([protocol, label]) => (
        <label key={protocol}>
          <input
            type="radio"
            name="protocol"
            value={protocol}
            checked={value === protocol}
            onChange={() => onChange(protocol)}
          />
          {label}
        </label>
      ))}
      {value === 'both' && <p data-hint>Two tunnels on one port number; they count as two.</p>}
    </fieldset>
  )
}
