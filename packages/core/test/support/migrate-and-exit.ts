import { createKernel, createLogger, Database, database, definePlugin } from '../../dist/index.js'

// A child process that migrates the database it is told of.
const plugin = definePlugin({
  name: 'shared',
  version: '1.0.0',
  requires: { database: Database },
  migrations: [
    {
      name: 'create',
      up: ({ sql }) => sql('CREATE TABLE shared (id int); INSERT INTO shared VALUES (1); SELECT pg_sleep(0.2)'),
    },
  ],
  setup() {},
})
const kernel = createKernel({
  plugins: [database({ url: process.env['TEST_DATABASE_URL'] }), plugin()],
  http: false,
  logger: createLogger({ level: 'silent' }),
})
await kernel.start()
await kernel.stop()
