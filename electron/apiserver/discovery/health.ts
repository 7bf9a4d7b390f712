/** /healthz, /livez and /readyz. Source: apiserver `server/healthz`. */
import type { Logger } from '../../base/logger.ts'
import { textResponse } from '../http/response.ts'
import type { ApiRequest, ApiResponse, RequestHandler } from '../types.ts'

export interface HealthCheck {
  readonly name: string
  /** Asked for by /readyz only: the server lives, but should get no requests now. */
  readonly readyOnly?: boolean
  /** Throws if it is not well. */
  readonly check: (signal: AbortSignal) => Promise<void> | void
}

const ENDPOINTS = ['healthz', 'livez', 'readyz'] as const
type Endpoint = (typeof ENDPOINTS)[number]

export function healthHandlers(checks: readonly HealthCheck[], logger: Logger): Readonly<Record<string, RequestHandler>> {
  const handlers: Record<string, RequestHandler> = {}
  for (const endpoint of ENDPOINTS) {
    const own = checks.filter((c) => !c.readyOnly || endpoint === 'readyz')
    handlers[`/${endpoint}`] = (request) => whole(endpoint, own, request, logger)
    handlers[`/${endpoint}/`] = (request) => single(endpoint, own, request)
  }
  return handlers
}

async function whole(endpoint: Endpoint, checks: readonly HealthCheck[], request: ApiRequest, logger: Logger): Promise<ApiResponse> {
  const excluded = new Set(request.query.getAll('exclude'))
  const lines: string[] = []
  const failed: string[] = []
  for (const { name, check } of checks) {
    if (excluded.delete(name)) {
      lines.push(`[+]${name} excluded: ok`)
      continue
    }
    try {
      await check(request.signal)
      lines.push(`[+]${name} ok`)
    } catch (error) {
      lines.push(`[-]${name} failed: reason withheld`)
      failed.push(name)
      logger.warn('a health check failed', { endpoint, check: name, error })
    }
  }
  if (excluded.size > 0)
    lines.push(
      `warn: some health checks cannot be excluded: no matches for ${[...excluded]
        .sort()
        .map((e) => `"${e}"`)
        .join(', ')}`,
    )
  if (failed.length > 0) return textResponse(500, `${lines.join('\n')}\n${endpoint} check failed\n`)
  if (!request.query.has('verbose')) return textResponse(200, 'ok')
  return textResponse(200, `${lines.join('\n')}\n${endpoint} check passed\n`)
}

async function single(endpoint: Endpoint, checks: readonly HealthCheck[], request: ApiRequest): Promise<ApiResponse> {
  const name = request.path.slice(endpoint.length + 2)
  const found = checks.find((c) => c.name === name)
  if (!found) return textResponse(404, '404 page not found\n')
  try {
    await found.check(request.signal)
    return textResponse(200, 'ok')
  } catch (error) {
    return textResponse(500, `internal server error: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}
