/** A cluster for the UI: the real API server on the memory store, in real time. What others bring to it is imitated beside this file. */
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import { KINDS } from '../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { DaemonSet, Deployment, ReplicaSet } from '../../../electron/api/apps/v1/types.gen.ts'
import type { EndpointSlice } from '../../../electron/api/discovery/v1/types.gen.ts'
import type { ConfigMap, Event, Namespace, Node, Pod, Secret, Service } from '../../../electron/api/core/v1/types.gen.ts'
import type { Machine } from '../../../electron/api/infra/v1alpha1/types.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { createApiServer, type ApiServer } from '../../../electron/apiserver/apiserver.ts'
import type { Client } from '../../../electron/client/client.ts'
import { createMemoryStore } from '../../../electron/store/memory/memory-store.ts'

function kind<T extends KubeObject>(group: string, resource: string): Kind<T> {
  const found = KINDS.find((each) => each.group === group && each.resource === resource)
  if (!found) throw new Error(`no kind ${resource}.${group}`)
  return found as unknown as Kind<T>
}

export const POD = kind<Pod>('', 'pods')
export const NODE = kind<Node>('', 'nodes')
export const NAMESPACE = kind<Namespace>('', 'namespaces')
export const SERVICE = kind<Service>('', 'services')
export const EVENT = kind<Event>('', 'events')
export const CONFIG_MAP = kind<ConfigMap>('', 'configmaps')
export const SECRET = kind<Secret>('', 'secrets')
export const DEPLOYMENT = kind<Deployment>('apps', 'deployments')
export const REPLICA_SET = kind<ReplicaSet>('apps', 'replicasets')
export const DAEMON_SET = kind<DaemonSet>('apps', 'daemonsets')
export const ENDPOINT_SLICE = kind<EndpointSlice>('discovery.k8s.io', 'endpointslices')
export const MACHINE = kind<Machine>('infra.flotilla.dev', 'machines')

export interface Cluster extends AsyncDisposable {
  readonly server: ApiServer
  /** As a member of system:masters. */
  readonly client: Client
}

export async function startCluster(): Promise<Cluster> {
  const store = createMemoryStore({ clock: systemClock, random: systemRandom })
  const server = createApiServer({
    store,
    clock: systemClock,
    logger: silentLogger,
    random: systemRandom,
    kinds: KINDS,
    admission: { disabled: ['ServiceAccount'] },
  })
  server.use({ authorize: async () => ({ allowed: true, reason: '' }) })
  await server.start()
  return {
    server,
    client: server.clientFor({ name: 'you', groups: ['system:masters', 'system:authenticated'] }, 'flotilla'),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
