import { describe, expect, it } from 'vitest'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { serviceAccount as serviceAccountKind } from '../../api/core/v1/service-account.ts'
import { NAMESPACE, startCluster } from '../testing/cluster.ts'

const only = ['serviceaccount-token-controller']
const options = {
  rootCa: 'PEM',
  signToken: async ({ namespace, name, uid, secret }: { namespace: string; name: string; uid: string; secret: string }) =>
    `token of ${namespace}/${name} ${uid} in ${secret}`,
}
const at = (name: string) => ({ namespace: NAMESPACE, name })
const draft = (name: string, account: string, more: object = {}) => ({
  metadata: { ...at(name), annotations: { 'kubernetes.io/service-account.name': account, ...more } },
  type: 'kubernetes.io/service-account-token',
})
const text = (data: Record<string, string> | undefined) =>
  Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))

describe('Secrets for tokens of service accounts', () => {
  it('get token, CA and namespace, and again what somebody takes away', async () => {
    await using cluster = await startCluster({ only, options })
    const { client } = cluster
    const { uid } = (await client.create(serviceAccountKind, { metadata: at('bot') })).metadata
    await client.create(secretKind, draft('bot-token', 'bot'))
    await client.create(secretKind, { metadata: at('other'), type: 'Opaque' })
    await cluster.quiet()
    const whole = { token: `token of ${NAMESPACE}/bot ${uid} in bot-token`, 'ca.crt': 'PEM', namespace: NAMESPACE }
    const secret = await client.get(secretKind, at('bot-token'))
    expect(text(secret.data)).toEqual(whole)
    expect(secret.metadata.annotations?.['kubernetes.io/service-account.uid']).toBe(uid)
    await client.patch(secretKind, at('bot-token'), { type: 'merge', body: { data: { token: null, 'ca.crt': 'Zm9yZ2Vk' } } })
    await cluster.quiet()
    expect(text((await client.get(secretKind, at('bot-token'))).data)).toEqual(whole)
    expect((await client.get(secretKind, at('other'))).data).toBeUndefined()
    expect(cluster.complaints).toEqual([])
  })

  it('go with their account, and are not for another that takes its name', async () => {
    await using cluster = await startCluster({ only, options })
    const { client } = cluster
    await client.create(serviceAccountKind, { metadata: at('bot') })
    await client.create(secretKind, draft('bot-token', 'bot'))
    await client.create(secretKind, draft('nobodys', 'ghost'))
    await client.create(secretKind, draft('of-the-last', 'bot', { 'kubernetes.io/service-account.uid': 'another' }))
    await cluster.quiet()
    const names = async () => (await client.list(secretKind, { namespace: NAMESPACE })).items.map(({ metadata }) => metadata.name)
    expect(await names()).toEqual(['bot-token'])
    await client.delete(serviceAccountKind, at('bot'))
    await cluster.quiet()
    expect(await names()).toEqual([])
    expect(cluster.complaints).toEqual([])
  })
})
