/** The API server on a real TLS socket over a memory store, and the programs and connections that use it. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import type { IncomingMessage } from 'node:http'
import { request as requestHttp1 } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Service } from '../../electron/api/core/v1/types.gen.ts'
import { service } from '../../electron/api/kinds.gen.ts'
import { createApiServer, type ApiServer, type ApiServerOptions, type ApiServerParts } from '../../electron/apiserver/apiserver.ts'
import { createAuthentication } from '../../electron/apiserver/authn/authentication.ts'
import { createAuthorization } from '../../electron/apiserver/authz/authorization.ts'
import { createFlowControl } from '../../electron/apiserver/flowcontrol/flow-control.ts'
import type { Listening } from '../../electron/apiserver/http/listener.ts'
import { ADMIN, createPki } from '../../electron/apiserver/pki/pki.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { systemRandom } from '../../electron/base/random.ts'
import type { Client } from '../../electron/client/client.ts'
import { createRemoteClient, type RemoteClient } from '../../electron/client/remote-client.ts'
import { createMemoryStore } from '../../electron/store/memory/memory-store.ts'
import type { Store } from '../../electron/store/store.ts'

export interface Served extends AsyncDisposable {
  readonly dir: string
  readonly url: string
  readonly port: number
  readonly store: Store
  readonly server: ApiServer
  readonly listening: Listening
  /** In this process, as a member of system:masters. */
  readonly admin: Client
  /** Over HTTP/2, as the administrator. */
  remote(): RemoteClient
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
  /** A kubeconfig of the administrator. */
  readonly kubeconfig: string
}

export interface ServedExtras {
  /** By path, beside the server's own. */
  readonly handlers?: ApiServerParts['handlers']
  /** With API priority and fairness, so many reads and writes at once. */
  readonly limits?: { readonly maxRequestsInflight: number; readonly maxMutatingRequestsInflight: number }
}

export async function serve(options: Partial<ApiServerOptions> = {}, { handlers, limits }: ServedExtras = {}): Promise<Served> {
  await using undo = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-api-'))
  undo.defer(() => rm(dir, { recursive: true, force: true }))
  const [clock, random, logger] = [systemClock, systemRandom, silentLogger]
  const pki = undo.use(
    createPki({ dir: join(dir, 'pki'), clock, random, logger, clusterDomain: 'cluster.local', serviceAddress: '10.96.0.1' }),
  )
  await pki.start()
  const store = undo.use(createMemoryStore({ clock, random }))
  const server = undo.use(createApiServer({ store, clock, logger, random, ...options }))
  const admin = server.clientFor({ name: 'system:apiserver', groups: ['system:masters'] })
  const issuer = 'https://kubernetes.default.svc.cluster.local'
  const authn = createAuthentication({ caPem: pki.caPem, keys: pki.serviceAccountKeys, issuer, client: admin, clock, random, logger })
  const authz = undo.use(createAuthorization({ client: admin, clock, logger }))
  const flow = limits && undo.use(createFlowControl({ client: admin, clock, logger, count: (info) => server.count(info), ...limits }))
  server.use({
    authenticate: authn.authenticate,
    impersonate: authn.impersonate,
    authorize: authz.authorize,
    checks: authz.checks,
    responders: { ...authn.responders, ...authz.responders },
    handlers: { ...authn.handlers, ...flow?.handlers, ...handlers },
    ...(flow ? { gate: flow, metrics: [flow.metrics] } : {}),
  })
  await server.start()
  await authz.start()
  await flow?.start()
  const listening = await server.listen({ host: '127.0.0.1', port: 0, tls: { serving: pki.serving, clientCa: pki.caPem } })
  const url = `https://127.0.0.1:${listening.port}`
  const tls = { ca: pki.caPem, ...(await pki.issueClient(ADMIN)) }
  const kubeconfig = join(dir, 'kubeconfig')
  await writeFile(kubeconfig, kubeconfigText(url, tls))
  const all = undo.move()
  return {
    dir,
    url,
    port: listening.port,
    store,
    server,
    listening,
    admin,
    tls,
    kubeconfig,
    remote: () => all.use(createRemoteClient({ server: url, ca: tls.ca, identity: () => ({ certificate: tls }), clock })),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

function kubeconfigText(url: string, { ca, cert, key }: Served['tls']): string {
  const data = (text: string) => Buffer.from(text).toString('base64')
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': data(ca) } }],
    users: [{ name: 'u', user: { 'client-certificate-data': data(cert), 'client-key-data': data(key) } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface HttpQuestion {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Without a client certificate. */
  readonly anonymous?: boolean
}

export async function http1(served: Served, path: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
  const { cert, key, ca } = served.tls
  const request = requestHttp1({
    host: '127.0.0.1',
    port: served.port,
    ca,
    ...(question.anonymous ? {} : { cert, key }),
    path,
    method: question.method ?? 'GET',
    headers: question.headers ?? {},
    agent: false,
  })
  request.end(question.body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }
}

export function session(served: Served): ClientHttp2Session {
  return connectHttp2(served.url, served.tls)
}

export async function http2(on: ClientHttp2Session, path: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
  const stream = on.request(
    { ':path': path, ':method': question.method ?? 'GET', ...question.headers },
    { endStream: question.body === undefined },
  )
  if (question.body !== undefined) stream.end(question.body)
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders]
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return { status: Number(headers[':status']), headers, body: Buffer.concat(parts) }
}

export function json(answer: HttpAnswer): Record<string, unknown> {
  return JSON.parse(answer.body.toString('utf8')) as Record<string, unknown>
}

/** NodePort Services, from all clients at once. */
export function createServices(clients: readonly Client[], count: number): Promise<Service[]> {
  const make = (i: number) =>
    (clients[i % clients.length] as Client).create(service, {
      metadata: { name: `s${i}`, namespace: 'default' },
      spec: { type: 'NodePort', ports: [{ port: 80 }] },
    })
  return Promise.all(Array.from({ length: count }, (_, i) => make(i)))
}
