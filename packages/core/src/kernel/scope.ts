import { coreErrors } from '../errors.js'

/** Undoes one side effect. Called once. */
export type Disposer = () => void | Promise<void>

/**
 * Owns side effects. What is deferred here is undone in reverse order, one after the other, when the scope is disposed;
 * a child is disposed as if it had been deferred at the moment it was made.
 */
export interface Scope {
  readonly name: string
  /** Aborted when disposal begins. */
  readonly signal: AbortSignal
  readonly disposed: boolean
  /** Registers an undo. Throws `CORE_ERR_SCOPE_DISPOSED` once disposal has begun. */
  defer(disposer: Disposer): void
  /** Registers `value`'s disposal and gives it back. */
  use<T extends AsyncDisposable | Disposable>(value: T): T
  child(name: string): Scope
  /** Undoes everything; every disposer runs even when one fails. Rejects with `CORE_ERR_DISPOSE_FAILED` at the end. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Makes a scope with no parent. */
export function createScope(name: string): Scope {
  const disposers: Disposer[] = []
  const controller = new AbortController()
  let disposed = false
  let disposal: Promise<void> | undefined

  const forget = (disposer: Disposer): void => {
    const at = disposers.lastIndexOf(disposer)
    if (at !== -1) disposers.splice(at, 1)
  }

  const undoAll = async (): Promise<void> => {
    disposed = true
    controller.abort()
    const failures: unknown[] = []
    for (let disposer = disposers.pop(); disposer; disposer = disposers.pop()) {
      try {
        await disposer()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length === 0) return
    const reason = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('; ')
    const cause = failures.length === 1 ? failures[0] : new AggregateError(failures)
    throw coreErrors.DISPOSE_FAILED({ scope: name, reason }, { cause })
  }

  const scope: Scope = {
    name,
    signal: controller.signal,
    get disposed() {
      return disposed
    },
    defer(disposer) {
      if (disposed) throw coreErrors.SCOPE_DISPOSED({ scope: name })
      disposers.push(disposer)
    },
    use(value) {
      scope.defer(async () => {
        if (Symbol.asyncDispose in value) await value[Symbol.asyncDispose]()
        else value[Symbol.dispose]()
      })
      return value
    },
    child(childName) {
      const child = createScope(`${name}/${childName}`)
      const disposeChild: Disposer = () => child.dispose()
      scope.defer(disposeChild)
      // A child that ends before its parent must not be kept by it.
      child.defer(() => forget(disposeChild))
      return child
    },
    dispose() {
      disposal ??= undoAll()
      return disposal
    },
    [Symbol.asyncDispose]() {
      return scope.dispose()
    },
  }
  return scope
}
