import type { Device } from '@sallyport/relay/client'
import { Field } from '../ui/form.js'

/** The device that a tunnel leads to. The only one is chosen already. */
export function DeviceField({ devices }: { devices: readonly Device[] }) {
  const sorted = [...devices].sort((a, b) => Number(b.online) - Number(a.online) || a.name.localeCompare(b.name))
  const names = new Map<string, number>()
  for (const { name } of devices) names.set(name, (names.get(name) ?? 0) + 1)
  const isOne = devices.length === 1
  return (
    <Field label="Device" name="deviceId" hint="The machine that the game server runs on, or one beside it.">
      {(control) => (
        <select required {...control}>
          {!isOne && <option value="">Choose a device</option>}
          {sorted.map(({ id, name, online }) => (
            <option key={id} value={id}>
              {name}
              {(names.get(name) ?? 0) > 1 && ` (${id.slice(0, 8)})`}
              {!online && ', offline'}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
