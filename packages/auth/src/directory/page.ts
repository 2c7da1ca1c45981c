import { type TInteger, type TObject, Type } from '@sinclair/typebox'

const maxPageLength = 500
const defaultPageLength = 100
const maxOffset = 1_000_000

/** Query of a list: which part of it. */
export const pageSchema: TObject<{ limit: TInteger; offset: TInteger }> = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: maxPageLength, default: defaultPageLength }),
    offset: Type.Integer({ minimum: 0, maximum: maxOffset, default: 0 }),
  },
  { additionalProperties: false },
)
