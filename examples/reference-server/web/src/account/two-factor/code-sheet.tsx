interface CodeSheetProps {
  readonly codes: readonly string[]
  readonly email: string
  readonly madeAt: Date
}

const date = new Intl.DateTimeFormat('en', { dateStyle: 'long' })

/** The sheet of paper with recovery codes. */
export function CodeSheet({ codes, email, madeAt }: CodeSheetProps) {
  return (
    <>
      <h1>Recovery codes</h1>
      <dl>
        <dt>Panel</dt>
        <dd>Sallyport, {location.origin}</dd>
        <dt>Account</dt>
        <dd>{email}</dd>
        <dt>Made on</dt>
        <dd>{date.format(madeAt)}</dd>
      </dl>
      <ol>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <p>Each works once, in the place of the authenticator app’s code. Cross out what is used.</p>
    </>
  )
}
