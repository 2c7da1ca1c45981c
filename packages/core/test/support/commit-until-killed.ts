import { createKernel, createLogger, Database, database } from '../../dist/index.js'
import { needs } from './needs.js'

// A child process that commits note after note, and says so, until it is killed.
const kernel = createKernel({
  plugins: [database({ dataDir: process.argv[2] as string }), needs(Database)],
  http: false,
  logger: createLogger({ level: 'silent' }),
})
await kernel.start()
const { sequelize, transaction } = kernel.get(Database)
for (let number = 1; ; number += 1) {
  await transaction((transaction) =>
    sequelize.query('INSERT INTO notes (text) VALUES ($1)', { bind: [`note ${number}`], transaction }),
  )
  process.send?.({ committed: number })
  const open = await sequelize.transaction()
  await sequelize.query("INSERT INTO notes (text) VALUES ('never committed')", { transaction: open })
  await open.rollback()
}
