import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { found, missing } from './found.mjs'
import { residentOf } from './resident.mjs'

const stream = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/local/nginx/modules']
  .map((directory) => join(directory, 'ngx_stream_module.so'))
  .find(existsSync)

/** nginx's stream proxy twice in a row, in the clear: where the relay and where the agent would be. One worker each. */
export const nginx = (bufferSize) => ({
  title: bufferSize ? `nginx, ${bufferSize} buffers` : 'nginx',
  missing: () => missing('nginx') ?? (stream ? undefined : "nginx's stream module is missing"),
  async start({ stage, relaySide, agentSide, target }) {
    const [tcp, udp, innerTcp, innerUdp] = await Promise.all([1, 2, 3, 4].map(stage.freePort))
    const service = { tcp: `127.0.0.1:${target.tcp}`, udp: `127.0.0.1:${target.udp}` }
    const agentLike = [
      listen(agentSide.bind, innerTcp, service.tcp),
      listen(agentSide.bind, innerUdp, service.udp, 'udp'),
    ]
    const inner = agentSide.address
    const relayLike = [
      listen(relaySide.bind, tcp, `${inner}:${innerTcp}`),
      listen(relaySide.bind, udp, `${inner}:${innerUdp}`, 'udp'),
    ]
    const agent = await run(stage, agentLike, bufferSize, agentSide.inside)
    const relay = await run(stage, relayLike, bufferSize, relaySide.inside)
    const resident = async () => ({ relay: residentOf(relay.pid), agent: residentOf(agent.pid) })
    return { tcp, udp, host: relaySide.address, resident }
  },
})

function listen(host, port, to, udp) {
  // Room for a burst, as our own sockets have; what its sockets to the next hop have is the system's default.
  const listening = udp ? `udp rcvbuf=1m sndbuf=1m` : 'backlog=4096'
  return `server { listen ${host}:${port} ${listening}; proxy_pass ${to}; }`
}

async function run(stage, servers, bufferSize, inside) {
  const directory = await stage.directory()
  const configuration = `
    ${stream.startsWith('/usr') ? `load_module ${stream};` : ''}
    daemon off; worker_processes 1; worker_rlimit_nofile 20000;
    pid ${directory}/pid; error_log stderr error;
    events { worker_connections 16384; multi_accept on; }
    stream {
      access_log off; tcp_nodelay on; proxy_half_close on; proxy_timeout 1h; proxy_connect_timeout 5s;
      ${bufferSize ? `proxy_buffer_size ${bufferSize};` : ''}
      ${servers.join('\n      ')}
    }`
  const file = join(directory, 'nginx.conf')
  writeFileSync(file, configuration)
  return stage.program(found('nginx'), ['-p', directory, '-e', 'stderr', '-c', file], { inside })
}
