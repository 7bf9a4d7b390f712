/** What the server says of itself in /metrics and the health checks. */
import { groupResource } from '../../api/kind.ts'
import type { Clock } from '../../base/clock.ts'
import type { Store } from '../../store/store.ts'
import type { Feed } from '../cache/feed.ts'
import type { HealthCheck } from '../discovery/health.ts'
import type { Resources } from '../resources.ts'
import type { Metrics } from './metrics.ts'

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface StateDeps {
  readonly resources: Resources
  readonly feed: Feed
  readonly clock: Clock
}

export function serverGauges(metrics: Metrics, { resources, feed, clock }: StateDeps): void {
  const began = clock.now() / 1000 - process.uptime()
  metrics.gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Watches and connections to nodes under way.',
    *read() {
      for (const { kind, cache } of resources.storages()) {
        const { group, version, resource } = kind
        if (cache.watchers > 0) yield [{ verb: 'WATCH', group, version, resource, subresource: '', component: 'apiserver' }, cache.watchers]
      }
      yield* metrics.connections
    },
  })
  metrics.gauge({
    name: 'apiserver_storage_objects',
    help: 'Objects, of those resources that were read since the start.',
    *read() {
      for (const { kind, cache } of resources.storages()) if (cache.revision > 0) yield [{ resource: groupResource(kind) }, cache.size]
    },
  })
  metrics.gauge({
    name: 'apiserver_resource_objects',
    help: 'Objects, of those resources that were read since the start.',
    *read() {
      for (const { kind, cache } of resources.storages()) {
        if (cache.revision > 0) yield [{ group: kind.group, resource: kind.resource }, cache.size]
      }
    },
  })
  metrics.add(() => [
    { name: 'process_cpu_seconds_total', help: 'User and system time of the process.', type: 'counter', samples: [[{}, cpuSeconds()]] },
    {
      name: 'process_resident_memory_bytes',
      help: 'Memory of the process that is in RAM.',
      type: 'gauge',
      samples: [[{}, process.memoryUsage.rss()]],
    },
    { name: 'process_start_time_seconds', help: 'When the process began, since the epoch.', type: 'gauge', samples: [[{}, began]] },
  ])
  metrics.gauge({
    name: 'flotilla_store_revision',
    help: 'The revision of the store that the caches have seen.',
    read: () => [[{}, feed.revision]],
  })
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

export interface HealthDeps {
  readonly feed: Feed
  readonly store: Store
  readonly ready: () => boolean
  /** It will be gone soon. */
  readonly stopping: () => boolean
}

/** Throws Error unless the store answers and can be relied on. */
export async function checkStore(store: Store): Promise<void> {
  const { alarms } = await store.status()
  // A store without room still answers, and lets room be made.
  const broken = alarms.filter((alarm) => alarm === 'corrupt' || alarm === 'ioError')
  if (broken.length > 0) throw new Error(`the store has alarms: ${broken.join(', ')}`)
}

/** "etcd" is what upstream calls its store, and what probes ask for. */
export function healthChecks({ feed, store, ready, stopping }: HealthDeps): HealthCheck[] {
  return [
    { name: 'ping', check() {} },
    { name: 'etcd', check: () => checkStore(store) },
    { name: 'informer-sync', readyOnly: true, check: () => feed.fresh() },
    {
      name: 'poststarthook/bootstrap',
      readyOnly: true,
      check() {
        if (!ready()) throw new Error('the server has not started, or is shutting down')
      },
    },
    {
      name: 'shutdown',
      readyOnly: true,
      check() {
        if (stopping()) throw new Error('process is shutting down')
      },
    },
  ]
}
