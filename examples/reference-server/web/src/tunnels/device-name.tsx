import type { Device } from '@sallyport/relay/client'

/** A device and whether it is online, which is not said by colour alone. */
export function DeviceName({ device }: { device: Device | undefined }) {
  if (!device) return <span class="text-light">Unknown device</span>
  return (
    <span class={device.online ? 'device-name online' : 'device-name'}>
      <bdi>{device.name}</bdi> <span class="text-light">{device.online ? 'online' : 'offline'}</span>
    </span>
  )
}
