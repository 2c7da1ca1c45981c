import { enrolCommand } from '../devices/commands.js'

/** What a name or an address is made of: it goes into a shell as it is. */
const host = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$|^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+$/
const region = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62})$/

export function isHost(text: string): boolean {
  return text.length <= 253 && host.test(text)
}

export function isRegion(text: string): boolean {
  return region.test(text)
}

/** Relays run on Linux mostly, and elsewhere by the same words. */
export function enrolRelayCommand(): string {
  return enrolCommand('posix', ' --kind server')
}

export function relayCommand(publicHost: string, regionName: string): string {
  return `node sallyport.mjs relay ${relayArguments(publicHost, regionName)}`
}

export function relayServiceCommand(publicHost: string, regionName: string): string {
  const install = 'sudo node sallyport.mjs service install --config ~/.config/sallyport/agent.json'
  return `${install} -- ${relayArguments(publicHost, regionName)}`
}

function relayArguments(publicHost: string, regionName: string): string {
  const bind = publicHost.includes(':') ? "'::'" : '0.0.0.0'
  return `--bind-host ${bind} --public-host ${publicHost}${regionName ? ` --region ${regionName}` : ''}`
}
