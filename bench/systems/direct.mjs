/** Nothing between players and the service. */
export const direct = {
  title: 'direct',
  missing: () => undefined,
  async start({ target }) {
    return { tcp: target.tcp, udp: target.udp, host: target.address }
  },
}
