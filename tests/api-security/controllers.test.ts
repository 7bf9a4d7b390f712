/** The controllers with no other rights than their user has, and an agent's own way to its certificates. */
import { X509Certificate } from 'node:crypto'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createNodeIdentity } from '../../electron/agent/bootstrap/node-identity.ts'
import { certificateSigningRequest } from '../../electron/api/certificates/v1/certificate-signing-request.ts'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { namespace } from '../../electron/api/core/v1/namespace.ts'
import { node } from '../../electron/api/core/v1/node.ts'
import { secret } from '../../electron/api/core/v1/secret.ts'
import { serviceAccount } from '../../electron/api/core/v1/service-account.ts'
import type { AgentConfig } from '../../electron/api/infra/v1alpha1/agent-config.ts'
import { machine } from '../../electron/api/infra/v1alpha1/machine.ts'
import { clusterRole } from '../../electron/api/rbac/v1/cluster-role.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { createRemoteClient } from '../../electron/client/remote-client.ts'
import { createControllers } from '../../electron/controllers/controllers.ts'
import { startSecureServer, type SecureServer } from './secure-server.ts'

const deps = { clock: systemClock, random: systemRandom, logger: silentLogger }
const stack = new AsyncDisposableStack()
let server: SecureServer
beforeAll(async () => {
  server = stack.use(await startSecureServer())
  const { pki, admin } = server
  await admin.create(namespace, { metadata: { name: 'kube-system' } }).catch(() => undefined)
  const client = server.server.clientFor({ name: 'system:kube-controller-manager', groups: ['system:authenticated'] })
  const options = { signer: pki.signer, rootCa: pki.caPem, clusterCidr: '10.244.0.0/16' }
  const controllers = stack.use(createControllers({ client, ...deps, options }))
  await controllers.start()
})
afterAll(() => stack.disposeAsync())

it('a machine with a bootstrap token gets its certificates, and addresses for pods, without anybody doing anything', async () => {
  const { admin, dir, url, pki } = server
  const stringData = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    expiration: new Date(Date.now() + 60_000).toISOString(),
  }
  const metadata = { name: 'bootstrap-token-abcdef', namespace: 'kube-system' }
  await admin.create(secret, { metadata, type: 'bootstrap.kubernetes.io/token', stringData })
  await admin.create(machine, { metadata: { name: 'moth' }, spec: { provider: 'sandbox', nodeIP: '192.0.2.7' } })
  const stateDir = join(dir, 'agent')
  await mkdir(stateDir)
  const bootstrapTokenFile = join(dir, 'token')
  await writeFile(bootstrapTokenFile, 'abcdef.0123456789abcdef\n')
  const apiPortFile = join(dir, 'link', 'api-port')
  await mkdir(dirname(apiPortFile))
  const config = { nodeName: 'moth', nodeIP: '192.0.2.7', stateDir, bootstrapTokenFile, apiPortFile } as AgentConfig

  await using agent = createNodeIdentity({ config, ...deps, api: () => remote })
  await using remote = createRemoteClient({ server: url, ca: pki.caPem, identity: () => agent.credentials(), clock: systemClock })
  await agent.start()
  const signal = AbortSignal.timeout(20_000)
  const client = new X509Certificate((await agent.client.whenIssued(signal)).cert)
  const serving = new X509Certificate((await agent.serving.whenIssued(signal)).cert)
  const authority = new X509Certificate(pki.caPem)
  expect([client.verify(authority.publicKey), serving.verify(authority.publicKey)]).toEqual([true, true])
  expect(client.subject).toBe('O=system:nodes\nCN=system:node:moth')
  expect(serving.subjectAltName).toBe('DNS:moth, IP Address:192.0.2.7')
  await expect.poll(() => stat(bootstrapTokenFile).catch(() => null)).toBeNull()

  await remote.create(node, { metadata: { name: 'moth' } })
  await expect.poll(async () => (await admin.get(node, { name: 'moth' })).spec.podCIDRs).toEqual(['10.244.0.0/24'])
  const { items } = await admin.list(certificateSigningRequest)
  expect(new Set(items.map(({ spec }) => spec.username))).toEqual(new Set(['system:bootstrap:abcdef', 'system:node:moth']))
}, 30_000)

it('every namespace has its account and its CA, and who may view may', async () => {
  const { admin, pki } = server
  await admin.create(namespace, { metadata: { name: 'shop' } })
  await vi.waitFor(async () => {
    const found = await admin.get(configMap, { namespace: 'shop', name: 'kube-root-ca.crt' })
    expect(found.data).toEqual({ 'ca.crt': pki.caPem })
    await admin.get(serviceAccount, { namespace: 'shop', name: 'default' })
    for (const name of ['view', 'edit', 'admin']) expect((await admin.get(clusterRole, { name })).rules?.length).toBeGreaterThan(5)
  })
})
