import { compactVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { configMap as configMapKind } from '../../api/core/v1/config-map.ts'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { formatTime } from '../../api/values/time.ts'
import { hasReason } from '../../machinery/status.ts'
import { startCluster, type TestCluster } from '../testing/cluster.ts'

const at = { namespace: 'kube-public', name: 'cluster-info' }
const SECRET = '0123456789abcdef'
const patch = (body: unknown) => ({ type: 'merge', body }) as const
const token = ({ client }: TestCluster, id: string, more: Record<string, string> = {}) =>
  client.create(secretKind, {
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: { 'token-id': id, 'token-secret': SECRET, 'usage-bootstrap-signing': 'true', ...more },
  })
const data = async ({ client }: TestCluster) => (await client.get(configMapKind, at)).data ?? {}

async function start(content: Record<string, string>): Promise<TestCluster> {
  const cluster = await startCluster({ only: ['bootstrap-signer-controller', 'token-cleaner-controller'] })
  await cluster.client.create(namespaceKind, { metadata: { name: at.namespace } }).catch((error: unknown) => {
    if (!hasReason(error, 'AlreadyExists')) throw error
  })
  await cluster.client.create(configMapKind, { metadata: at, data: content })
  return cluster
}

describe('the bootstrap signer', () => {
  it('signs what the cluster says of itself with each token, as RFC 7515 has it', async () => {
    await using cluster = await start({ kubeconfig: 'here I am', other: 'kept' })
    await token(cluster, 'aaaaaa')
    await cluster.quiet()
    const { 'jws-kubeconfig-aaaaaa': signature = '', ...rest } = await data(cluster)
    expect(rest).toEqual({ kubeconfig: 'here I am', other: 'kept' })
    const [header, content, mac] = signature.split('.')
    expect(content).toBe('')
    const whole = `${header}.${Buffer.from('here I am').toString('base64url')}.${mac}`
    const { protectedHeader } = await compactVerify(whole, Buffer.from(SECRET))
    expect(protectedHeader).toEqual({ alg: 'HS256', kid: 'aaaaaa' })
    await cluster.client.patch(configMapKind, at, patch({ data: { kubeconfig: 'there I am' } }))
    await cluster.quiet()
    expect((await data(cluster))['jws-kubeconfig-aaaaaa']).not.toBe(signature)
  })

  it('takes signatures back with their tokens, and makes none for tokens that may not', async () => {
    await using cluster = await start({ kubeconfig: 'here I am', 'jws-kubeconfig-gone': 'old' })
    await token(cluster, 'aaaaaa', { 'usage-bootstrap-signing': 'false' })
    await token(cluster, 'bbbbbb', { expiration: formatTime(cluster.clock.now() + 60_000) })
    await cluster.client.create(secretKind, {
      metadata: { name: 'bootstrap-token-cccccc', namespace: 'kube-system' },
      type: 'Opaque',
      stringData: { 'token-id': 'cccccc', 'token-secret': SECRET, 'usage-bootstrap-signing': 'true' },
    })
    await cluster.quiet()
    expect(Object.keys(await data(cluster)).sort()).toEqual(['jws-kubeconfig-bbbbbb', 'kubeconfig'])
    await cluster.advance(61_000)
    expect(Object.keys(await data(cluster))).toEqual(['kubeconfig'])
    expect(cluster.complaints).toEqual([])
  })

  it('says so where there is nothing to sign', async () => {
    await using cluster = await start({ other: 'x' })
    await token(cluster, 'aaaaaa')
    await cluster.quiet()
    expect(await data(cluster)).toEqual({ other: 'x' })
    expect(await cluster.events('cluster-info')).toEqual(['NoKubeconfig: there is nothing to sign: the ConfigMap has no key kubeconfig'])
  })
})
