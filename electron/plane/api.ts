/** The API server with its store, certificates and doors: what is there before any controller runs. */
import { networkInterfaces } from 'node:os'
import { KINDS } from '../api/kinds.gen.ts'
import { createApiServer, type ApiServer } from '../apiserver/apiserver.ts'
import { createAuthentication } from '../apiserver/authn/authentication.ts'
import { createAuthorization } from '../apiserver/authz/authorization.ts'
import { createFlowControl } from '../apiserver/flowcontrol/flow-control.ts'
import { UNKNOWN_BUILD } from '../apiserver/discovery/version.ts'
import { METRICS_KINDS } from '../apiserver/metrics-api/kinds.ts'
import { metricsReaders } from '../apiserver/metrics-api/metrics-api.ts'
import { readDescriptions } from '../apiserver/openapi/descriptions.ts'
import { ADMIN, createPki, type Pki } from '../apiserver/pki/pki.ts'
import { createConnectors } from '../apiserver/streaming/streaming.ts'
import type { NodeDialer } from '../apiserver/types.ts'
import type { Clock } from '../base/clock.ts'
import { FlotillaError } from '../base/errors.ts'
import { startIn } from '../base/lifecycle.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import { writeKubeconfig, type KubeconfigEntry } from '../client/kubeconfig.ts'
import type { Store } from '../store/store.ts'
import { API_VIP, CLUSTER_DOMAIN, SERVICE_CIDR, type PlaneConfig } from './config.ts'
import { openAccess } from './access.ts'
import { readAdmissionFile } from './admission-file.ts'
import { openAudit } from './audit.ts'
import { compactPeriodically } from './compaction.ts'
import { freePort } from './free-port.ts'
import { openStore } from './open-store.ts'
import { Placements } from './placements.ts'
import { paths, readClusterFile, replaceFile, writeClusterFile, type ClusterFile } from './state-dir.ts'

export interface PlaneDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface Api {
  readonly cluster: ClusterFile
  readonly store: Store
  /** Other planes may be on the same store. */
  readonly shared: boolean
  readonly pki: Pki
  /** Told by the scheduler. */
  readonly placements: Placements
  readonly server: ApiServer
  /** https://127.0.0.1:PORT */
  readonly url: string
  readonly port: number
  readonly kubeconfig: KubeconfigEntry
}

/**
 * `dialer`: how the server reaches the agents. Everything that is opened goes on the stack. When `stopping` aborts, the server says that
 * it is no longer ready, before anything is taken from it.
 */
export async function startApi(
  config: PlaneConfig,
  deps: PlaneDeps,
  dialer: NodeDialer,
  stack: AsyncDisposableStack,
  stopping?: AbortSignal,
): Promise<Api> {
  const { clock, random, logger } = deps
  const places = paths(config.stateDir)
  const remembered = await readClusterFile(config.stateDir, { name: config.name, random })
  const etcd = config.etcd ?? remembered.etcd
  const store = stack.use(await openStore({ ...config, etcd }, { clock, random, logger: logger.child({ part: 'store' }) }))
  stack.use(compactPeriodically(store, clock, logger))
  const pki = createPki({
    dir: places.pki,
    clock,
    random,
    logger: logger.child({ part: 'pki' }),
    clusterDomain: CLUSTER_DOMAIN,
    serviceAddress: API_VIP,
  })
  await startIn(stack, pki)

  const audit = await openAudit(
    config.audit ?? {},
    { policy: places.auditPolicy, log: places.auditLog },
    { clock, random, logger: logger.child({ part: 'audit' }) },
  )
  if (audit) stack.use(audit)

  const admission = await readAdmissionFile(config.admissionFile, places.admission)

  const port = config.port ?? remembered.port ?? (await freePort(random))
  const server = stack.use(
    createApiServer({
      ...{ store, clock, random },
      logger: logger.child({ part: 'apiserver' }),
      serviceCidr: SERVICE_CIDR,
      admission,
      endpoint: { address: ownAddress(), port },
      descriptions: await readDescriptions(config.descriptionsFile),
      kinds: [...KINDS, ...METRICS_KINDS],
      build: { ...UNKNOWN_BUILD, version: config.version, platform: process.platform, arch: process.arch, runtime: process.version },
    }),
  )
  stopping?.addEventListener('abort', () => server.retire(), { once: true })
  const inside = server.clientFor({ name: 'system:apiserver', groups: ['system:masters'] })
  const issuer = `https://kubernetes.default.svc.${CLUSTER_DOMAIN}`
  const access = await openAccess(
    {
      config: config.access ?? {},
      authenticationFile: places.authentication,
      authorizationFile: places.authorization,
      ...{ issuer, clock, random, logger: logger.child({ part: 'access' }) },
    },
    stack,
  )
  const authn = createAuthentication({
    caPem: pki.caPem,
    keys: pki.serviceAccountKeys,
    issuer,
    configured: access.tokens,
    client: inside,
    ...{ clock, random, logger },
  })
  const authz = stack.use(createAuthorization({ client: inside, clock, random, logger }))
  access.followAuthorizers((placed) => authz.configure(placed))
  const placements = new Placements()
  const connectors = createConnectors({
    client: inside,
    dialer,
    caPem: pki.caPem,
    identity: () => pki.kubeletClient.current,
    ...{ clock, random },
  })
  const { maxRequestsInflight, maxMutatingRequestsInflight } = config
  const unlimited = maxRequestsInflight === 0 && maxMutatingRequestsInflight === 0
  const flow = stack.use(
    createFlowControl({
      client: inside,
      count: (info) => server.count(info),
      ...{ maxRequestsInflight, maxMutatingRequestsInflight, clock, logger },
    }),
  )
  server.use({
    authenticate: authn.authenticate,
    impersonate: authn.impersonate,
    authorize: authz.authorize,
    checks: authz.checks,
    responders: { ...authn.responders, ...authz.responders, ...placements.responders(() => inside) },
    connectors,
    readers: metricsReaders(inside, clock),
    handlers: { ...authn.handlers, ...flow.handlers },
    ...(audit ? { auditor: audit } : {}),
    ...(unlimited ? {} : { gate: flow }),
    metrics: [flow.metrics, ...(audit ? [audit.metrics] : [])],
  })
  await server.start()
  await Promise.all([authz.start(), flow.start()])
  const tls = { serving: pki.serving, clientCa: pki.caPem }
  stack.use(await listenOn(server, { port, chosen: config.port !== undefined, tls }))
  const cluster: ClusterFile = { ...remembered, port, ...(etcd ? { etcd: { ...etcd, endpoints: [...etcd.endpoints] } } : {}) }
  if (JSON.stringify(cluster) !== JSON.stringify(remembered)) await writeClusterFile(config.stateDir, cluster)

  const url = `https://127.0.0.1:${port}`
  const certificate = await pki.issueClient(ADMIN)
  const kubeconfig: KubeconfigEntry = { name: contextName(cluster.name), server: url, ca: pki.caPem, certificate }
  await replaceFile(places.kubeconfig, writeKubeconfig(kubeconfig))
  return { cluster, store, shared: etcd !== undefined, pki, placements, server, url, port, kubeconfig }
}

async function listenOn(
  server: ApiServer,
  options: { port: number; chosen: boolean; tls: { serving: Pki['serving']; clientCa: string } },
): Promise<AsyncDisposable> {
  try {
    return await server.listen({ host: '127.0.0.1', port: options.port, tls: options.tls })
  } catch (error) {
    if (!(error instanceof FlotillaError) || error.code !== 'ADDRESS_IN_USE') throw error
    // Kubeconfigs that people have name this port: another one is never taken silently.
    throw new FlotillaError('ADDRESS_IN_USE', {
      what: `The API server cannot listen on port ${options.port}.`,
      why: 'Another program listens there.',
      next: options.chosen
        ? 'End that program, or choose another port with --port.'
        : 'End that program, or move the cluster with --port; then export its kubeconfig again.',
      cause: error,
    })
  }
}

function contextName(cluster: string): string {
  return cluster === 'flotilla' ? 'flotilla' : `flotilla-${cluster}`
}

/** An address of this computer that is not its loopback, for the endpoints of `default/kubernetes`; nodes do not use it. */
function ownAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) if (family === 'IPv4' && !internal) return address
  }
  return API_VIP
}
