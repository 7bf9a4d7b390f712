import type { Clock } from '../../base/clock.ts'
import { type Component, component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Store } from '../store.ts'
import { HeaderCodec, type Identity } from './codec/header.ts'
import { REFUSAL, toGrpcError } from './errors.ts'
import { route } from './grpc/router.ts'
import { FaceListener, type FaceTls } from './listener.ts'
import { createPlainAnswers } from './plain.ts'
import { authService } from './services/auth.ts'
import { clusterService } from './services/cluster.ts'
import { electionService } from './services/election.ts'
import { healthService } from './services/health.ts'
import { kvService } from './services/kv.ts'
import { leaseService } from './services/lease.ts'
import { lockService } from './services/lock.ts'
import { maintenanceService } from './services/maintenance.ts'
import type { ServiceDeps } from './services/service.ts'
import { watchService } from './services/watch.ts'

export interface EtcdFaceOptions {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** Loopback by default; port 0 takes a free one. */
  readonly listen: { readonly host?: string; readonly port: number }
  /** Null: without TLS, so that whoever reaches the port may do everything. */
  readonly tls: FaceTls | null
  readonly identity: Identity
}

export interface EtcdFace extends Component {
  /** Where clients reach it, once it is ready: "https://127.0.0.1:2379". */
  readonly url: string
}

/**
 * Serves a store to etcd's clients, over the etcd v3 API as of etcd 3.6: KV, Watch, Lease, Maintenance, Cluster (one member), Auth (off),
 * Lock, Election and gRPC's health, and /health, /version and /metrics over HTTP. `start` rejects with FlotillaError `ADDRESS_IN_USE`.
 */
export function createEtcdFace(options: EtcdFaceOptions): EtcdFace {
  const { store, clock, logger, listen, tls, identity } = options
  const { host = '127.0.0.1' } = listen
  let port = 0
  const url = () => `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
  const base = component(async (stack) => {
    const deps: ServiceDeps = { store, clock, logger, identity, headers: new HeaderCodec(identity), clientUrls: () => [url()] }
    const services = [kvService, watchService, leaseService, maintenanceService, clusterService, authService, lockService, electionService]
    const methods = new Map([...services.flatMap((service) => service(deps)), ...healthService()])
    const plain = createPlainAnswers({ store, identity })
    const listener = stack.use(
      new FaceListener({
        clock,
        logger,
        listen,
        tls,
        plain,
        accept: route(methods, { toError: toGrpcError, stopped: REFUSAL.stopped }, plain),
      }),
    )
    port = await listener.start()
    logger.info('the store is served to etcd’s clients', { url: url() })
  })
  return {
    get state() {
      return base.state
    },
    get url() {
      return url()
    },
    start: (signal) => base.start(signal),
    [Symbol.asyncDispose]: () => Promise.resolve(base[Symbol.asyncDispose]()),
  }
}
