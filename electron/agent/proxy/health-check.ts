/**
 * What a load balancer outside the cluster asks of a node: whether it has an endpoint of a Service with `externalTrafficPolicy: Local`.
 * Source: kubernetes `pkg/proxy/healthcheck`, KEP-27.
 */
import { createServer, type Server } from 'node:http'
import { deferred } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Problem, Problems } from '../net/problem.ts'

export interface HealthCheck {
  readonly namespace: string
  readonly name: string
  readonly localEndpoints: number
}

export interface HealthChecksDeps {
  readonly clock: Clock
  readonly problems: Problems
  /** Whether this node's rules are in force. */
  readonly healthy: () => boolean
}

/** Milliseconds after which a port that was taken is tried again. */
const RETRY = 10_000

/** A listener for each port, on all addresses of the node. */
export class HealthChecks implements AsyncDisposable {
  readonly #deps: HealthChecksDeps
  readonly #open = new Map<number, { server: Server; check: HealthCheck; retry: Disposable | null }>()

  constructor(deps: HealthChecksDeps) {
    this.#deps = deps
  }

  /** By port; what is not named any more is closed. */
  set(wanted: ReadonlyMap<number, HealthCheck>): void {
    for (const port of [...this.#open.keys()]) if (!wanted.has(port)) void this.#close(port)
    for (const [port, check] of wanted) {
      const known = this.#open.get(port)
      if (known) known.check = check
      else this.#listen(port, check)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open.keys()].map((port) => this.#close(port)))
  }

  #listen(port: number, first: HealthCheck): void {
    const { clock, problems, healthy } = this.#deps
    const server = createServer((_request, response) => {
      const check = this.#open.get(port)?.check ?? first
      const { namespace, name, localEndpoints } = check
      const serviceProxyHealthy = healthy()
      response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, {
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'x-load-balancing-endpoint-weight': String(localEndpoints),
      })
      response.end(`${JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy })}\n`)
    })
    const entry: { server: Server; check: HealthCheck; retry: Disposable | null } = { server, check: first, retry: null }
    this.#open.set(port, entry)
    server.on('listening', () => problems.set(topic(port), null))
    server.on('error', (error) => {
      problems.set(topic(port), cannotListen(port, entry.check, error))
      entry.retry = clock.setTimeout(() => server.listen(port), RETRY, { unref: true })
    })
    server.listen(port)
  }

  async #close(port: number): Promise<void> {
    const entry = this.#open.get(port)
    if (!entry) return
    this.#open.delete(port)
    entry.retry?.[Symbol.dispose]()
    this.#deps.problems.set(topic(port), null)
    const closed = deferred<void>()
    entry.server.close(() => closed.resolve())
    entry.server.closeAllConnections()
    await closed.promise
  }
}

const topic = (port: number) => `health check ${port}`

function cannotListen(port: number, { namespace, name }: HealthCheck, error: unknown): Problem {
  return {
    reason: 'HealthCheckPortInUse',
    message:
      `Load balancers cannot ask this node about Service ${namespace}/${name}: port ${port} could not be opened (${messageOf(error)}). ` +
      'Stop what listens there, or give the Service another healthCheckNodePort.',
    blocking: false,
  }
}
