import { Database } from '@sallyport/core'
import { fixturePassword } from './fixtures/fixture.js'
import { hosts } from './hosts.js'
import { createPanel } from './panel.js'

const [name = 'pterodactyl'] = process.argv.slice(2)
const host = hosts[name]
if (!host) {
  console.error(`There is no ${name} here, but ${Object.keys(hosts).join(', ')}.`)
  process.exit(2)
}

const { kernel, query } = createPanel(host, { upgrade: true })
try {
  const { port } = await kernel.listen()
  const { sequelize } = kernel.get(Database)
  await sequelize.query(host.fixture.schema)
  await sequelize.query(host.fixture.people)
  const show = async (): Promise<void> => {
    for (const table of host.fixture.tables) console.table(await query(`SELECT * FROM "${table}" ORDER BY 1`, []))
  }
  console.log(`The tables of ${name}, as they are:`)
  await show()
  const response = await fetch(`http://127.0.0.1:${port}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.org', password: fixturePassword }),
  })
  console.log('POST /api/auth/login as ada@example.org:', response.status, await response.json())
  console.log('The tables afterwards:')
  await show()
} finally {
  await kernel.stop()
}
