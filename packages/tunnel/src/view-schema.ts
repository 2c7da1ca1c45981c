import { type Static, type TSchema, type TUnsafe, Type } from '@sinclair/typebox'

/** The same with everything `readonly`, so that two types compare by what is in them. */
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/**
 * The JSON Schema of a view. It compiles only when it says what the view's type says: the same fields, the same of them optional,
 * of the same types. A schema with an `$id` is a component of the OpenAPI document under that name.
 */
export function viewSchema<View>(): <Schema extends TSchema>(
  schema: Same<Frozen<Static<Schema>>, Frozen<View>> extends true ? Schema : never,
) => TUnsafe<View> {
  return (schema) => Type.Unsafe<View>(schema)
}

export const timeSchema: TUnsafe<string> = Type.Unsafe<string>(Type.String({ format: 'date-time' }))
export const timeOrNullSchema: TUnsafe<string | null> = Type.Unsafe<string | null>(
  Type.Union([timeSchema, Type.Null()]),
)
export const textOrNullSchema: TUnsafe<string | null> = Type.Unsafe<string | null>(
  Type.Union([Type.String(), Type.Null()]),
)
/** Of a change that has nothing to show. */
export const successSchema: TUnsafe<{ readonly success: true }> = Type.Unsafe<{ readonly success: true }>(
  Type.Object({ success: Type.Literal(true) }),
)
