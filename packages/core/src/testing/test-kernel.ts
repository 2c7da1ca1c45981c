import { type InjectOptions, inject, type Response } from 'light-my-request'
import { createKernel, type Kernel, type KernelOptions } from '../kernel/kernel.js'
import { Logger } from '../kernel/logger.js'
import type { ServiceOverride, ServiceToken } from '../kernel/service.js'
import { createTestLogger, type TestLogger } from './test-logger.js'
import { addTestProviders } from './test-providers.js'

export interface TestKernelOptions extends KernelOptions {
  /** Whether it listens on a free port of 127.0.0.1; default true. Without it, use `inject`. */
  readonly listen?: boolean
}

export interface TestRequest extends RequestInit {
  /** Sent as a JSON body. */
  readonly json?: unknown
}

/** A started kernel that keeps nothing and prints nothing. */
export interface TestKernel extends AsyncDisposable {
  readonly kernel: Kernel
  /** Where it listens, such as `http://127.0.0.1:40123`; empty when it does not. */
  readonly url: string
  readonly log: TestLogger
  get<T>(token: ServiceToken<T>): T
  /** A request over the network to `path`. */
  fetch(path: string, request?: TestRequest): Promise<FetchResponse>
  /** A request without a network. */
  inject(request: InjectOptions | string): Promise<Response>
  stop(): Promise<void>
}

type FetchResponse = globalThis.Response

/**
 * Starts a kernel for a test: database in memory (only when something requires one), fixed secret keys, a recording
 * logger, a free port.
 */
export async function createTestKernel(options: TestKernelOptions = {}): Promise<TestKernel> {
  const { listen = options.http ?? true, ...kernelOptions } = options
  const log = createTestLogger()
  const plugins = addTestProviders((options.plugins ?? []).flat(), givenTokens(options.overrides), options.http ?? true)
  const kernel = createKernel({ logger: log.logger, drainTimeoutMs: 1_000, ...kernelOptions, plugins })
  let url = ''
  if (listen) {
    const { host, port } = await kernel.listen()
    url = `http://${host}:${port}`
  } else {
    await kernel.start()
  }
  return {
    kernel,
    url,
    log,
    get: (token) => kernel.get(token),
    fetch: (path, request = {}) => fetch(url + path, toRequest(request)),
    inject: (request) => inject(kernel.handler, request),
    stop: () => kernel.stop(),
    [Symbol.asyncDispose]: () => kernel.stop(),
  }
}

function toRequest({ json, ...request }: TestRequest): RequestInit {
  if (json === undefined) return request
  const headers = new Headers(request.headers)
  headers.set('content-type', 'application/json')
  return { method: 'POST', ...request, headers, body: JSON.stringify(json) }
}

function givenTokens(overrides: readonly ServiceOverride[] = []): readonly ServiceToken<unknown>[] {
  return [Logger, ...overrides.map(({ token }) => token)]
}
