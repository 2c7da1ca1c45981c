import { argon2id, testHost } from '../support/test-host.js'

testHost({
  name: 'pterodactyl',
  newPassword: 'UPDATE users SET password = $2 WHERE id = $1 RETURNING id',
  upgraded: { table: 'users', column: 'password', form: argon2id, rows: [1, 2] },
  refused: [],
})
