import type { System } from './commands.js'

interface SystemSwitchProps {
  readonly system: System
  readonly onChange: (system: System) => void
}

const names: readonly (readonly [System, string])[] = [
  ['posix', 'Linux or macOS'],
  ['windows', 'Windows (PowerShell)'],
]

/** For which shell the command is shown. */
export function SystemSwitch({ system, onChange }: SystemSwitchProps) {
  return (
    <fieldset class="switch">
      <legend class="visually-hidden">The system of your machine</legend>
      {names.map(([value, name]) => (
        <label key={value}>
          <input type="radio" name="system" value={value} checked={system === value} onChange={() => onChange(value)} />
          {name}
        </label>
      ))}
    </fieldset>
  )
}
