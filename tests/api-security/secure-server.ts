/** The API server as users meet it: TLS, certificates, tokens, RBAC, OpenAPI, and an agent behind it; on loopback and a memory store. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KINDS } from '../../electron/api/kinds.gen.ts'
import { createApiServer, type ApiServer } from '../../electron/apiserver/apiserver.ts'
import { createAuthentication } from '../../electron/apiserver/authn/authentication.ts'
import { createAuthorization } from '../../electron/apiserver/authz/authorization.ts'
import { readDescriptions } from '../../electron/apiserver/openapi/descriptions.ts'
import { openApiHandlers } from '../../electron/apiserver/openapi/openapi.ts'
import { ADMIN, createPki, type Pki } from '../../electron/apiserver/pki/pki.ts'
import { createConnectors } from '../../electron/apiserver/streaming/streaming.ts'
import type { NodeDialer } from '../../electron/apiserver/types.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger, type Logger } from '../../electron/base/logger.ts'
import { systemRandom } from '../../electron/base/random.ts'
import type { Client } from '../../electron/client/client.ts'
import { writeKubeconfig } from '../../electron/client/kubeconfig.ts'
import { createRemoteClient, type RemoteClient } from '../../electron/client/remote-client.ts'
import { openAccess } from '../../electron/plane/access.ts'
import type { AccessConfig } from '../../electron/plane/access-config.ts'
import { createMemoryStore } from '../../electron/store/memory/memory-store.ts'

export interface SecureServer extends AsyncDisposable {
  readonly dir: string
  readonly url: string
  readonly pki: Pki
  readonly server: ApiServer
  /** In-process, as system:masters. */
  readonly admin: Client
  /** A kubeconfig with a certificate of this user. */
  kubeconfig(user: string, ...groups: string[]): Promise<string>
  remote(user: string, ...groups: string[]): Promise<RemoteClient>
}

export const ISSUER = 'https://kubernetes.default.svc.cluster.local'
const NO_NODES: NodeDialer = {
  dial: async (node) => {
    throw new Error(`no link to ${node}`)
  },
}

export interface SecureServerOptions {
  readonly dialer?: NodeDialer
  readonly descriptions?: string
  /** Files that are named have absolute paths. */
  readonly access?: AccessConfig
  readonly logger?: Logger
}

export async function startSecureServer(options: SecureServerOptions = {}): Promise<SecureServer> {
  await using undo = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-security-'))
  undo.defer(() => rm(dir, { recursive: true, force: true }))
  const clock = systemClock
  const random = systemRandom
  const logger = options.logger ?? silentLogger
  const pki = undo.use(
    createPki({ dir: join(dir, 'pki'), clock, random, logger, clusterDomain: 'cluster.local', serviceAddress: '10.96.0.1' }),
  )
  await pki.start()
  const store = undo.use(createMemoryStore({ clock, random }))
  const server = undo.use(createApiServer({ store, clock, logger, random }))
  const admin = server.clientFor({ name: 'system:apiserver', groups: ['system:masters'] })
  const access = await openAccess(
    {
      config: options.access ?? {},
      authenticationFile: join(dir, 'authentication.yaml'),
      authorizationFile: join(dir, 'authorization.yaml'),
      ...{ issuer: ISSUER, clock, random, logger },
    },
    undo,
  )
  const authn = createAuthentication({
    configured: access.tokens,
    caPem: pki.caPem,
    keys: pki.serviceAccountKeys,
    issuer: ISSUER,
    client: admin,
    clock,
    random,
    logger,
  })
  const authz = undo.use(createAuthorization({ client: admin, clock, random, logger }))
  access.followAuthorizers((placed) => authz.configure(placed))
  const connectors = createConnectors({
    client: admin,
    dialer: options.dialer ?? NO_NODES,
    caPem: pki.caPem,
    identity: () => pki.kubeletClient.current,
    clock,
    random,
  })
  const openapi = openApiHandlers({ kinds: () => KINDS, descriptions: await readDescriptions(options.descriptions), version: 'v1.36.0' })
  server.use({
    authenticate: authn.authenticate,
    impersonate: authn.impersonate,
    authorize: authz.authorize,
    checks: authz.checks,
    responders: { ...authn.responders, ...authz.responders },
    connectors,
    handlers: { ...authn.handlers, ...openapi },
  })
  await server.start()
  await authz.start()
  const listening = await server.listen({ host: '127.0.0.1', port: 0, tls: { serving: pki.serving, clientCa: pki.caPem } })
  const url = `https://127.0.0.1:${listening.port}`
  await writeFile(join(dir, 'ca.crt'), pki.caPem)
  const all = undo.move()
  const issue = (user: string, groups: readonly string[]) =>
    pki.issueClient(user === 'admin' ? ADMIN : { commonName: user, organizations: groups })
  let files = 0
  return {
    dir,
    url,
    pki,
    server,
    admin,
    async kubeconfig(user, ...groups) {
      const file = join(dir, `kubeconfig-${++files}`)
      await writeFile(file, writeKubeconfig({ name: 'test', server: url, ca: pki.caPem, certificate: await issue(user, groups) }))
      return file
    },
    async remote(user, ...groups) {
      const certificate = await issue(user, groups)
      return all.use(createRemoteClient({ server: url, ca: pki.caPem, identity: () => ({ certificate }), clock }))
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a program to its end; it is killed after a minute. */
export function run(
  command: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...options.env }, timeout: 60_000 })
    let out = ''
    let err = ''
    child.stdout.on('data', (part) => (out += String(part)))
    child.stderr.on('data', (part) => (err += String(part)))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, out, err }))
    child.stdin.end(options.input ?? '')
  })
}
