import { type PanelProblem, problemOfAnswer, problemOfFailure } from './panel-problem.js'

/** What a method of the client gives. */
export type PanelResult<Data> =
  | { readonly data: Data; readonly error?: never; readonly response: Response }
  | { readonly data?: never; readonly error: unknown; readonly response: Response }

/**
 * The data of an answer: `const { devices } = await unwrap(panel.GET('/api/tunnel/devices'))`.
 * @throws PanelProblem and nothing else
 */
export async function unwrap<Data>(result: PanelResult<Data> | Promise<PanelResult<Data>>): Promise<Data> {
  const { data, error, response } = await settle(result)
  if (!response.ok || (data === undefined && response.status !== 204)) throw problemOfAnswer(response, error)
  return data as Data
}

async function settle<Data>(result: PanelResult<Data> | Promise<PanelResult<Data>>): Promise<PanelResult<Data>> {
  try {
    return await result
  } catch (failure) {
    throw problemOfFailure(failure) satisfies PanelProblem
  }
}
