import { testHost } from '../support/test-host.js'

testHost({
  name: 'django',
  suspend: 'UPDATE auth_user SET is_active = false WHERE id = $1 RETURNING id',
  newPassword: 'UPDATE auth_user SET password = $2 WHERE id = $1 RETURNING id',
  // In the form of Django's Argon2PasswordHasher, which Bob's has, and is stronger.
  upgraded: {
    table: 'auth_user',
    column: 'password',
    form: /^argon2\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/,
    rows: [1],
  },
  // Suspended, without a usable password, and two who share an address.
  refused: ['eve@example.org', 'ivy@example.org', 'shared@example.org'],
})
