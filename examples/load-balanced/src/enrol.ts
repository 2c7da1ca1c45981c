// Enrols the relay of compose.yaml, once: writes its configuration to RELAY_CONFIG.
import { enrolRelay } from './enrol-relay.js'

const { PANEL_URL = '', ADMIN_PASSWORD = '', RELAY_CONFIG = '' } = process.env
const email = process.env['ADMIN_EMAIL']?.trim() || 'admin@localhost'

try {
  if (!PANEL_URL || !ADMIN_PASSWORD || !RELAY_CONFIG) {
    throw new Error('PANEL_URL, ADMIN_PASSWORD and RELAY_CONFIG must be set')
  }
  const enrolment = { panel: PANEL_URL, panelForRelay: PANEL_URL, email, password: ADMIN_PASSWORD, file: RELAY_CONFIG }
  console.log((await enrolRelay(enrolment)) ? 'the relay is enrolled' : 'the relay is enrolled already')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
