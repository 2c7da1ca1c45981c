import { verify } from '@node-rs/bcrypt'
import type { PasswordScheme } from './password-scheme.js'

const expression = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
const minCost = 4
/** Some 3 s of work. Each more is twice as much. */
const maxCost = 15

/** bcrypt as PHP (`$2y$`: Laravel and others), Python, Ruby and Node store it. Takes the first 72 bytes, as they do. */
export const bcrypt: PasswordScheme = {
  name: 'bcrypt',
  workOf(stored) {
    const cost = Number(expression.exec(stored)?.[1])
    return cost >= minCost && cost <= maxCost ? `bcrypt:${cost}` : undefined
  },
  verify: (stored, password) => verify(password, stored),
}
