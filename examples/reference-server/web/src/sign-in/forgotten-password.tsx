import { useEffect, useRef, useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { Form, Submit, TextField } from '../ui/form.js'
import { reworded } from '../ui/problem.js'
import { Heading } from './heading.js'

interface ForgottenPasswordProps {
  readonly email: string
  readonly onBack: () => void
}

/** Asks for the link by which a new password is chosen. Whether there is such an account nobody is told. */
export function ForgottenPassword({ email, onBack }: ForgottenPasswordProps) {
  const [sentTo, setSentTo] = useState('')
  const container = useRef<HTMLDivElement>(null)
  // What is to be done next has the focus.
  useEffect(() => container.current?.querySelector<HTMLElement>('input, button')?.focus(), [sentTo])
  return (
    <div ref={container}>
      <Heading title="Choose a new password" />
      {sentTo ? (
        <>
          <p role="status">
            If there is an account of <strong class="address">{sentTo}</strong>, a link is on its way. It works once,
            for 30 minutes.
          </p>
          <p class="text-light hint">Nothing came? Look among the junk, and check the address.</p>
          <div class="buttons">
            <button type="button" onClick={onBack}>
              Back to the sign-in
            </button>
            <button type="button" class="outline" onClick={() => setSentTo('')}>
              Try another address
            </button>
          </div>
        </>
      ) : (
        <>
          <Form
            label="Choose a new password"
            onSubmit={async (fields) => {
              const address = fields.text('email')
              try {
                await unwrap(api.POST('/api/auth/password-reset/request', { body: { email: address } }))
              } catch (error) {
                throw reworded(error, { not_found: 'Passwords are not changed here. Ask who runs the panel.' })
              }
              setSentTo(address)
            }}
          >
            <TextField
              label="E-mail"
              name="email"
              type="email"
              defaultValue={sentTo || email}
              hint="You are sent a link by which you choose a new password."
              autocomplete="username"
              autocapitalize="off"
              spellcheck={false}
              required
            />
            <div class="buttons">
              <Submit>Send the link</Submit>
            </div>
          </Form>
          <p class="after">
            <button type="button" class="link" onClick={onBack}>
              Back to the sign-in
            </button>
          </p>
        </>
      )}
    </div>
  )
}
