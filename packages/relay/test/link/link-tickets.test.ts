import t from 'tap'
import { LinkTickets } from '../../dist/link/link-tickets.js'

t.test('the resume ticket goes before that of the owner, and each is shown until it is spent', (t) => {
  const tickets = new LinkTickets('first')
  tickets.welcomed('first', 'resume')
  tickets.give('second')
  t.equal(tickets.current, 'resume')
  tickets.spent('resume')
  t.equal(tickets.current, 'second')
  tickets.spent('an older one')
  t.equal(tickets.current, 'second')
  tickets.spent('second')
  t.equal(tickets.current, undefined)
  t.end()
})

t.test('without a ticket the owner is asked at once, but not again for one that was refused', (t) => {
  const tickets = new LinkTickets('first')
  tickets.spent('first')
  t.equal(tickets.isHopeful, true)
  tickets.asked()
  tickets.give('second')
  t.equal(tickets.isHopeful, true)
  tickets.spent('second')
  t.equal(tickets.isHopeful, false)
  tickets.give('third')
  tickets.welcomed('third', 'resume')
  tickets.spent('resume')
  t.equal(tickets.isHopeful, true, 'after a WELCOME it is a first time again')
  t.end()
})
