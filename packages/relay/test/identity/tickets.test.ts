import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { TicketMemory } from '../../dist/identity/ticket-memory.js'
import { Tickets } from '../../dist/identity/tickets.js'
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../../dist/limits.js'

function book(options: { relayId?: string; key?: Buffer; limits?: Partial<RelayLimits>; memory?: TicketMemory } = {}) {
  const limits = { ...DEFAULT_RELAY_LIMITS, ...options.limits }
  const memory = options.memory ?? new TicketMemory(limits, () => {})
  const clock = { now: 1_000_000 }
  const key = options.key ?? randomBytes(32)
  return {
    tickets: new Tickets(options.relayId ?? 'r', key, memory, limits, () => clock.now),
    memory,
    clock,
    key,
    limits,
  }
}

t.test('a ticket works once', async (t) => {
  const { tickets } = book()
  const ticket = tickets.issue('d')
  t.same(tickets.redeem(ticket), { ok: true, deviceId: 'd' })
  t.same(tickets.redeem(ticket), { ok: false, error: 'ticket_used' })
})

t.test(
  'a ticket of a device for which there is no room is not spent, and what is wrong with it is said first',
  async (t) => {
    const { tickets } = book()
    const full = () => false
    const [ticket, { ticket: resume }] = [tickets.issue('d'), tickets.issueResume('d')]
    for (const good of [ticket, resume]) {
      t.same(tickets.redeem(good, undefined, full), { ok: false, error: 'busy' })
      t.ok(tickets.redeem(good, undefined, (device) => device === 'd').ok)
    }
    t.same(tickets.redeem('nonsense', undefined, full), { ok: false, error: 'ticket_invalid' })
  },
)

t.test('a ticket ends when its time is over', async (t) => {
  const { tickets, clock } = book()
  const ticket = tickets.issue('d', 100)
  clock.now += 100
  t.same(tickets.redeem(ticket), { ok: false, error: 'ticket_expired' })
})

t.test('another relay or another key does not take it', async (t) => {
  const key = randomBytes(32)
  const ticket = book({ key, relayId: 'a' }).tickets.issue('d')
  t.same(book({ key, relayId: 'b' }).tickets.redeem(ticket), { ok: false, error: 'ticket_invalid' })
  t.same(book({ relayId: 'a' }).tickets.redeem(ticket), { ok: false, error: 'ticket_invalid' })
  t.same(book({ key, relayId: 'a' }).tickets.redeem(ticket), { ok: true, deviceId: 'd' })
})

t.test('any change of a ticket makes it invalid, and garbage never throws', async (t) => {
  const { tickets } = book()
  const ticket = tickets.issue('d')
  fc.assert(
    fc.property(fc.nat(ticket.length - 1), fc.string({ minLength: 1, maxLength: 2 }), (at, put) => {
      const changed = ticket.slice(0, at) + put + ticket.slice(at + 1)
      return changed === ticket || tickets.redeem(changed).ok === false
    }),
    { numRuns: 500 },
  )
  fc.assert(fc.property(fc.string({ maxLength: 3_000 }), (text) => tickets.redeem(text).ok === false))
  t.same(tickets.redeem(ticket), { ok: true, deviceId: 'd' }, 'and the true one still works')
})

t.test('revoking ends what was issued before, in the same millisecond too, and nothing after', async (t) => {
  const { tickets } = book()
  const before = tickets.issue('d')
  const resume = tickets.issueResume('d')
  const other = tickets.issue('e')
  tickets.revoke('d')
  const after = tickets.issue('d')
  t.same(tickets.redeem(before), { ok: false, error: 'ticket_revoked' })
  t.same(tickets.redeem(resume.ticket), { ok: false, error: 'ticket_revoked' })
  t.same(tickets.redeem(after), { ok: true, deviceId: 'd' })
  t.same(tickets.redeem(other), { ok: true, deviceId: 'e' })
})

t.test('a resume ticket is spent when its successor has arrived', async (t) => {
  const { tickets } = book()
  const first = tickets.issueResume('d')
  first.confirm()
  t.ok(tickets.redeem(first.ticket).ok)
  const second = tickets.issueResume('d')
  t.ok(tickets.redeem(first.ticket).ok, 'the answer with the second may have been lost')
  second.confirm()
  t.same(tickets.redeem(first.ticket), { ok: false, error: 'ticket_used' })
  t.ok(tickets.redeem(second.ticket).ok)
  first.confirm()
  t.ok(tickets.redeem(second.ticket).ok, 'a late confirmation of the first changes nothing')
  t.same(tickets.redeem(first.ticket), { ok: false, error: 'ticket_used' })
})

t.test('what was spent and revoked survives in a snapshot', async (t) => {
  const { tickets, memory, key, limits, clock } = book()
  const spent = tickets.issue('d')
  tickets.redeem(spent)
  const revoked = tickets.issue('e')
  tickets.revoke('e')
  const good = tickets.issue('e')
  const restored = new TicketMemory(limits, () => {})
  restored.restore(JSON.parse(JSON.stringify(memory.snapshot(clock.now))))
  const again = book({ key, memory: restored }).tickets
  t.same(again.redeem(spent), { ok: false, error: 'ticket_used' })
  t.same(again.redeem(revoked), { ok: false, error: 'ticket_revoked' })
  t.same(again.redeem(good), { ok: true, deviceId: 'e' })
})

t.test('the memory is bounded and forgets on the safe side', async (t) => {
  const { tickets, clock } = book({ limits: { maxSpentTickets: 2, maxRememberedDevices: 2 } })
  t.ok(tickets.redeem(tickets.issue('a', 50)).ok)
  t.ok(tickets.redeem(tickets.issue('b', 50)).ok)
  t.same(tickets.redeem(tickets.issue('c', 50)), { ok: false, error: 'busy' })
  clock.now += 50
  t.ok(tickets.redeem(tickets.issue('d', 50)).ok, 'expired ones make room')
  const early = tickets.issue('a', 1_000)
  for (const device of ['a', 'x', 'y', 'z']) tickets.revoke(device)
  clock.now += 60
  t.same(tickets.redeem(early), { ok: false, error: 'ticket_revoked' }, 'a forgotten revocation still holds')
  t.ok(tickets.redeem(tickets.issue('a', 1_000)).ok)
})
