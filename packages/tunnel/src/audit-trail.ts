import type { Audit, Logger, Principal } from '@sallyport/core'

/** Who asked for a change, from where. */
export interface Caller {
  readonly principal: Principal | undefined
  readonly ip: string
  readonly requestId: string
}

/** Writes the audit log of this package. Called after the change is committed; a failure is logged, it undoes nothing. */
export interface AuditTrail {
  device(
    action: string,
    deviceId: string,
    by: Caller | 'system',
    data?: Readonly<Record<string, unknown>>,
  ): Promise<void>
  allocation(
    action: string,
    allocationId: number,
    by: Caller | 'system',
    data?: Readonly<Record<string, unknown>>,
  ): Promise<void>
}

/** A change, as it was written to the audit log. */
export interface AuditedChange {
  /** Such as `device.approved`. */
  readonly action: string
  /** Of the device or allocation. */
  readonly id: string
  readonly data: Readonly<Record<string, unknown>>
  /** Undefined: nobody who is known. */
  readonly actor: Pick<Principal, 'kind' | 'id'> | 'system' | undefined
}

/** @param tell hears of every change, whether the audit log took it or not; must not throw or reject, and is waited for */
export function createAuditTrail(
  audit: Audit,
  logger: Logger,
  tell?: (change: AuditedChange) => void | Promise<void>,
): AuditTrail {
  const write = async (
    type: 'device' | 'allocation',
    action: string,
    id: string,
    by: Caller | 'system',
    data: Readonly<Record<string, unknown>> | undefined,
  ): Promise<void> => {
    const from = by === 'system' ? { actor: by } : { actor: by.principal, ip: by.ip, requestId: by.requestId }
    const record = { action: `${type}.${action}`, ...from, target: { type, id }, ...(data ? { data } : {}) }
    const told = tell?.({ action: record.action, id, data: data ?? {}, actor: from.actor })
    try {
      await audit.record(record)
    } catch (error) {
      logger.error({ err: error, action: record.action, target: record.target }, 'the audit log could not be written')
    }
    await told
  }
  return {
    device: (action, deviceId, by, data) => write('device', action, deviceId, by, data),
    allocation: (action, allocationId, by, data) => write('allocation', action, String(allocationId), by, data),
  }
}
