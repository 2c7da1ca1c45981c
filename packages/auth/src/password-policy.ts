import { definePlugin, defineService, type Plugin, type ServiceToken } from '@sallyport/core'
import { refuse } from './input.js'
import { isAcceptablePassword, maxPasswordLength, minPasswordLength, normalisePassword } from './password.js'
import { version } from './version.js'

/** Says whether a password is known from a breach: by the host, for instance from a list of its own. */
export type BreachedPasswordCheck = (password: string, signal: AbortSignal) => boolean | Promise<boolean>

/** Which passwords may be chosen. */
export interface PasswordPolicy {
  /**
   * @param path of the field, for the error
   * @throws `CORE_ERR_VALIDATION_FAILED` (400) naming the field
   */
  assertAcceptable(password: string, path: string): Promise<void>
}

export const PasswordPolicy: ServiceToken<PasswordPolicy> = defineService<PasswordPolicy>('auth.password-policy')

/** Longest time that the check may take, in milliseconds; then the password is let through, and that is logged. */
const checkTimeoutMs = 3_000

/** Provides `PasswordPolicy`: 8 to 256 characters in NFKC, and none that `isBreached` knows. */
export function passwordPolicy(isBreached?: BreachedPasswordCheck): Plugin {
  const plugin = definePlugin({
    name: '@sallyport/auth.password-policy',
    version,
    provides: { policy: PasswordPolicy },
    setup({ logger }) {
      const isKnown = async (password: string): Promise<boolean> => {
        if (!isBreached) return false
        const controller = new AbortController()
        const { signal } = controller
        // Async, so that one that throws at once is no different from one that rejects.
        const asked = async (): Promise<boolean> => isBreached(normalisePassword(password), signal)
        const late = new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('it took too long')), { once: true })
        })
        const timer = setTimeout(() => controller.abort(), checkTimeoutMs)
        try {
          return await Promise.race([asked(), late])
        } catch (error) {
          logger.warn({ err: error }, 'whether a password is known from a breach could not be found out')
          return false
        } finally {
          clearTimeout(timer)
        }
      }
      return {
        policy: {
          async assertAcceptable(password, path) {
            if (!isAcceptablePassword(password)) {
              throw refuse(path, `must have ${minPasswordLength} to ${maxPasswordLength} characters`)
            }
            if (await isKnown(password)) throw refuse(path, 'is known from a data breach; choose another')
          },
        },
      }
    },
  })
  return plugin()
}
