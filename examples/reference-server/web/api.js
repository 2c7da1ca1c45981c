/** A problem that the panel answered, or that it did not answer: `status` is 0 then. */
export class ApiError extends Error {
  constructor(problem, status) {
    super(problem.detail ?? problem.title ?? `The panel answered ${status}`)
    this.status = status
  }
}

/** Sends one request and gives the JSON that came back. */
export async function api(method, path, body) {
  const init = { method, headers: { accept: 'application/json' } }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers['content-type'] = 'application/json'
  }
  const response = await fetch(path, init).catch(() => {
    throw new ApiError({ detail: 'The panel cannot be reached' }, 0)
  })
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) throw new ApiError(answer, response.status)
  return answer
}
