/** Relay and agent of this repository, or of another build (`--relay`). UDP is encrypted either way. */
export const sallyport = (encryption) => ({
  title: encryption === 'tls' ? 'Sallyport, TLS' : 'Sallyport, plain',
  missing: () => undefined,
  async start({ stage, relaySide, agentSide, target, module }) {
    const execArgv = ['--expose-gc']
    const relay = await stage.start('relay', [{ module, bindHost: relaySide.bind, encryption }], {
      inside: relaySide.inside,
      execArgv,
    })
    const { dataPort, fingerprint, ticket } = relay.ready
    const address = { id: 'relay', host: relaySide.address, port: dataPort, ticket, fingerprint, encryption }
    const agent = await stage.start('agent', [{ module, relay: address }], { inside: agentSide.inside, execArgv })
    const ports = await relay.ask('serve', { host: '127.0.0.1', tcp: target.tcp, udp: target.udp })
    const resident = async () => ({ relay: await relay.ask('residentBytes'), agent: await agent.ask('residentBytes') })
    const note = encryption === 'tls' && !fingerprint ? 'this build of the relay does not encrypt' : undefined
    return { ...ports, host: relaySide.address, resident, note }
  },
})
