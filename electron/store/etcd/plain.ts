import type { Store } from '../store.ts'
import type { Identity } from './codec/header.ts'
import type { PlainAnswer } from './grpc/router.ts'
import { newestRevision } from './services/service.ts'
import { ETCD_VERSION } from './services/maintenance.ts'

/** What etcd answers on its client port beside gRPC: /health, /version and /metrics. */
export function createPlainAnswers({ store, identity }: { store: Store; identity: Identity }) {
  return async (method: string, path: string): Promise<PlainAnswer> => {
    const name = path.split('?')[0]
    if (name !== '/health' && name !== '/version' && name !== '/metrics')
      return { status: 404, type: 'text/plain', body: '404 page not found\n' }
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: 'text/plain', body: 'Method Not Allowed\n' }
    if (name === '/health') return await health(store)
    if (name === '/version') return json(200, { etcdserver: ETCD_VERSION, etcdcluster: ETCD_VERSION })
    return { status: 200, type: 'text/plain; version=0.0.4', body: await metrics(store, identity) }
  }
}

/** Unhealthy is a store that cannot be read, or that takes no writes. */
async function health(store: Store): Promise<PlainAnswer> {
  try {
    await newestRevision(store)
    const { alarms } = await store.status()
    if (alarms.length === 0) return json(200, { health: 'true', reason: '' })
    return json(503, { health: 'false', reason: `ALARM ${alarms.join(', ')}` })
  } catch (error) {
    return json(503, { health: 'false', reason: String(error) })
  }
}

function json(status: number, body: object): PlainAnswer {
  return { status, type: 'application/json', body: JSON.stringify(body) }
}

async function metrics(store: Store, { name }: Identity): Promise<string> {
  const { revision, compactRevision, keys, dbSize, dbSizeInUse, quota } = await store.status()
  const memory = process.memoryUsage.rss()
  const { user, system } = process.cpuUsage()
  const gauges: readonly (readonly [name: string, help: string, value: number])[] = [
    ['etcd_server_has_leader', 'Whether or not a leader exists.', 1],
    ['etcd_server_is_leader', 'Whether or not this member is a leader.', 1],
    ['etcd_server_quota_backend_bytes', 'The store’s quota in bytes; 0 is none.', quota],
    ['etcd_debugging_mvcc_keys_total', 'Keys that exist.', keys],
    ['etcd_debugging_mvcc_current_revision', 'The newest revision.', revision],
    ['etcd_debugging_mvcc_compact_revision', 'The oldest revision that can be read.', compactRevision],
    ['etcd_mvcc_db_total_size_in_bytes', 'Bytes on disk.', dbSize],
    ['etcd_mvcc_db_total_size_in_use_in_bytes', 'Bytes on disk that are in use.', dbSizeInUse],
    ['process_resident_memory_bytes', 'Resident memory size in bytes.', memory],
    ['process_cpu_seconds_total', 'User and system CPU time in seconds.', (user + system) / 1e6],
  ]
  const version = `# HELP etcd_server_version Which version is running.\n# TYPE etcd_server_version gauge\netcd_server_version{server_version="${ETCD_VERSION}",member="${name}"} 1\n`
  return version + gauges.map(([metric, help, value]) => `# HELP ${metric} ${help}\n# TYPE ${metric} gauge\n${metric} ${value}\n`).join('')
}
