import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { found, missing } from './found.mjs'
import { residentOf } from './resident.mjs'

const RETRY_MS = 100
const TRIES = 30

/** `ssh -R` against a server of its own, with keys of its own. TCP only; encrypted, everything through one connection. */
export const ssh = {
  title: 'ssh -R',
  missing: () => missing('ssh', 'sshd', 'ssh-keygen'),
  async start({ stage, relaySide, agentSide, target }) {
    const [control, tcp] = await Promise.all([1, 2].map(stage.freePort))
    const directory = await stage.directory()
    const [hostKey, key] = [join(directory, 'host'), join(directory, 'key')]
    for (const file of [hostKey, key])
      await promisify(execFile)(found('ssh-keygen'), ['-q', '-t', 'ed25519', '-N', '', '-f', file])
    const authorized = join(directory, 'authorized')
    writeFileSync(authorized, readFileSync(`${key}.pub`))
    const configuration = join(directory, 'sshd_config')
    writeFileSync(
      configuration,
      `Port ${control}
ListenAddress ${relaySide.bind}
HostKey ${hostKey}
AuthorizedKeysFile ${authorized}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
GatewayPorts clientspecified
LogLevel ERROR
`,
    )
    // Where a server that was started as root puts what has no rights; the system's own start makes it too.
    if (process.getuid() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    const relay = await stage.program(found('sshd'), ['-D', '-e', '-f', configuration], relaySide)
    const client = [
      ...['-N', '-T', '-F', 'none', '-i', key, '-p', String(control)],
      ...['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
      ...['-o', 'ExitOnForwardFailure=yes', '-o', 'LogLevel=ERROR', '-o', `ConnectionAttempts=${TRIES}`],
      ...['-R', `${relaySide.bind}:${tcp}:127.0.0.1:${target.tcp}`, `${userInfo().username}@${relaySide.address}`],
    ]
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    const agent = await stage.program(found('ssh'), client, agentSide)
    const resident = async () => ({ relay: residentOf(relay.pid), agent: residentOf(agent.pid) })
    return { tcp, host: relaySide.address, resident }
  },
}
