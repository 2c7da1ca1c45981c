/** What is read of `CollectedClientData` (WebAuthn L3 section 5.8.1) before it is verified. */
export interface ClientData {
  readonly challenge: string
}

const base64urlExpression = /^[\w-]+$/

/**
 * Reads the challenge from what the browser signed; `undefined` when it is no client data. So is that of a page inside a
 * frame of another site: the panel is never framed.
 */
export function readClientData(clientDataJSON: string): ClientData | undefined {
  if (!base64urlExpression.test(clientDataJSON)) return undefined
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(Buffer.from(clientDataJSON, 'base64url')))
    if (typeof value !== 'object' || value === null) return undefined
    const { challenge, crossOrigin, topOrigin } = value as Record<string, unknown>
    if (typeof challenge !== 'string' || topOrigin !== undefined) return undefined
    if (crossOrigin !== undefined && crossOrigin !== false) return undefined
    return { challenge }
  } catch {
    return undefined
  }
}
