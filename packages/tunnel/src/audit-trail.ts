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

export function createAuditTrail(audit: Audit, logger: Logger): AuditTrail {
  const write = async (
    type: 'device' | 'allocation',
    action: string,
    id: string,
    by: Caller | 'system',
    data: Readonly<Record<string, unknown>> | undefined,
  ): Promise<void> => {
    const from = by === 'system' ? { actor: by } : { actor: by.principal, ip: by.ip, requestId: by.requestId }
    const record = { action: `${type}.${action}`, ...from, target: { type, id }, ...(data ? { data } : {}) }
    try {
      await audit.record(record)
    } catch (error) {
      logger.error({ err: error, action: record.action, target: record.target }, 'the audit log could not be written')
    }
  }
  return {
    device: (action, deviceId, by, data) => write('device', action, deviceId, by, data),
    allocation: (action, allocationId, by, data) => write('allocation', action, String(allocationId), by, data),
  }
}
