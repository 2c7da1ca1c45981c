import { PanelProblem } from '../api.js'

export interface FieldRefusal {
  /** The field's name. */
  readonly field: string
  readonly message: string
}

/** A form that is not sent, or was refused, because of some of its fields. */
export function refusedFields(detail: string, refusals: readonly FieldRefusal[]): PanelProblem {
  const errors = refusals.map(({ field, message }) => ({ path: `/${field}`, message }))
  return new PanelProblem({ status: 400, error: 'validation_failed', detail, errors })
}
