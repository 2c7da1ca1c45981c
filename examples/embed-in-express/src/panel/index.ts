export { pool } from './database.js'
export { log } from './log.js'
export { settings } from './settings.js'
export { users } from './users.js'
