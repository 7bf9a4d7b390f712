import type { Route } from '../server/agent-server.ts'
import { containerMetrics, METRICS_TYPE, resourceMetrics } from './metrics.ts'
import type { MetricsDeps } from './metrics.ts'

/** Figures of this node, its pods and containers. */
export function statsRoutes(deps: MetricsDeps & { readonly process: () => string }): Route[] {
  const text = (path: string, type: string, produce: () => Promise<string>): Route => ({
    method: 'GET',
    path,
    async handle(_request, response) {
      const body = await produce()
      response.writeHead(200, { 'content-type': type }).end(body)
    },
  })
  return [
    text('/healthz', 'text/plain; charset=utf-8', async () => 'ok'),
    text('/stats/summary', 'application/json', async () => JSON.stringify(await deps.summary.summary())),
    text('/metrics', METRICS_TYPE, async () => deps.process()),
    text('/metrics/resource', METRICS_TYPE, () => resourceMetrics(deps)),
    text('/metrics/cadvisor', METRICS_TYPE, () => containerMetrics(deps)),
  ]
}
