// The forms of whoever is not signed in: password, second factor, passkey, new password.
import { api } from './api.js'

const byId = (id) => document.getElementById(id)
const forms = ['sign-in', 'second-factor', 'reset']

function showForm(name) {
  for (const id of forms) byId(id).hidden = id !== name
  byId(name).querySelector('input').focus()
}

/** The field of `/api/auth/2fa/verify-login` that a code belongs to: six digits come from the app or from a mail. */
function codeField(code, mailed) {
  if (!/^\d{6}$/.test(code)) return 'backupCode'
  return mailed ? 'emailCode' : 'token'
}

/**
 * Makes the forms work.
 * @param attempt runs what a person asked for and says what came of it
 * @param onSignedIn told the user
 * @returns whether somebody is here to choose a new password, signed in or not
 */
export function prepareSignIn({ attempt, say, onSignedIn }) {
  let tempToken
  let mailed = false

  const signedIn = ({ user }) => {
    tempToken = undefined
    for (const id of forms) byId(id).reset()
    showForm('sign-in')
    onSignedIn(user)
  }
  const on = (id, type, action, done) =>
    byId(id).addEventListener(type, (event) => {
      event.preventDefault()
      attempt(() => action(event), done)
    })

  on('sign-in', 'submit', async ({ target }) => {
    const answer = await api('POST', '/api/auth/login', Object.fromEntries(new FormData(target)))
    if (!answer.twoFactorRequired) return signedIn(answer)
    tempToken = answer.tempToken
    mailed = false
    byId('send-email').hidden = !answer.methods.includes('email')
    target.reset()
    showForm('second-factor')
  })
  on('second-factor', 'submit', async ({ target }) => {
    const code = new FormData(target).get('code').trim()
    const body = { tempToken, [codeField(code, mailed)]: code }
    signedIn(await api('POST', '/api/auth/2fa/verify-login', body))
  })
  on(
    'send-email',
    'click',
    async () => {
      await api('POST', '/api/auth/2fa/send-email', { tempToken })
      mailed = true
    },
    'A code is on its way to your mailbox.',
  )
  on('start-over', 'click', async () => showForm('sign-in'))

  byId('passkey').hidden = !window.PublicKeyCredential?.parseRequestOptionsFromJSON
  on('passkey', 'click', async () => {
    const options = await api('POST', '/api/auth/passkey/authenticate-challenge', {})
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
    const credential = await navigator.credentials.get({ publicKey }).catch(() => {
      throw new Error('No passkey was used.')
    })
    signedIn(await api('POST', '/api/auth/passkey/authenticate', { response: credential.toJSON() }))
  })

  byId('forgotten').addEventListener('click', () => {
    const { email } = byId('sign-in').elements
    if (!email.reportValidity()) return
    const sent = 'If there is such an account, a mail with a link is on its way.'
    attempt(() => api('POST', '/api/auth/password-reset/request', { email: email.value }), sent)
  })
  on(
    'reset',
    'submit',
    async ({ target }) => {
      const password = new FormData(target).get('password')
      await api('POST', '/api/auth/password-reset/confirm', { token: resetToken, password })
      target.reset()
      showForm('sign-in')
    },
    'Your password is changed. Sign in with it.',
  )

  const resetToken = new URLSearchParams(location.hash.slice(1)).get('token')
  const resets = location.pathname === '/reset-password' && resetToken
  if (resets) {
    // Out of the address bar and the history.
    history.replaceState(undefined, '', '/')
    showForm('reset')
    say('Choose a new password.')
  }
  return Boolean(resets)
}
