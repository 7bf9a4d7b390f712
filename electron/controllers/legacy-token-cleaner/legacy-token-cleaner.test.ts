import { describe, expect, it } from 'vitest'
import { configMap as configMapKind } from '../../api/core/v1/config-map.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { serviceAccount as accountKind } from '../../api/core/v1/service-account.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'

const only = ['legacy-serviceaccount-token-cleaner-controller']
const DAY = 86_400_000
const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'

async function start(): Promise<TestCluster> {
  const cluster = await startCluster({ only })
  const { client } = cluster
  const names = ['old', 'mounted', 'used']
  await client.create(accountKind, { metadata: { name: 'robot', namespace: NAMESPACE }, secrets: names.map((name) => ({ name })) })
  for (const name of [...names, 'by-hand']) {
    await client.create(secretKind, {
      metadata: { name, namespace: NAMESPACE, annotations: { 'kubernetes.io/service-account.name': 'robot' } },
      type: 'kubernetes.io/service-account-token',
    })
  }
  await client.create(podKind, {
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { containers: [{ name: 'app', image: 'app:1' }], volumes: [{ name: 'token', secret: { secretName: 'mounted' } }] },
  })
  await cluster.quiet()
  return cluster
}

const secretNames = async ({ client }: TestCluster) =>
  (await client.list(secretKind, { namespace: NAMESPACE })).items.map(({ metadata }) => metadata.name).sort()
const invalid = async ({ client }: TestCluster) =>
  (await client.list(secretKind, { namespace: NAMESPACE })).items
    .filter(({ metadata }) => metadata.labels?.[INVALID_SINCE])
    .map(({ metadata }) => metadata.name)

async function daysLater(cluster: TestCluster, days: number): Promise<void> {
  cluster.clock.jump((days - 1) * DAY)
  await cluster.advance(DAY)
}

describe('the cleaner of old tokens', () => {
  it('marks what nobody used for a year, and deletes it a year later', async () => {
    await using cluster = await start()
    const { client } = cluster
    const tracking = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }
    expect((await client.get(configMapKind, tracking)).data?.['since']).toBe(new Date(cluster.clock.now()).toISOString().slice(0, 10))
    await daysLater(cluster, 300)
    const today = new Date(cluster.clock.now()).toISOString().slice(0, 10)
    await client.patch(
      secretKind,
      { namespace: NAMESPACE, name: 'used' },
      { type: 'merge', body: { metadata: { labels: { [LAST_USED]: today } } } },
    )
    expect(await invalid(cluster)).toEqual([])
    await daysLater(cluster, 67)
    expect(await invalid(cluster)).toEqual(['old'])
    await daysLater(cluster, 367)
    expect(await secretNames(cluster)).toEqual(['by-hand', 'mounted', 'used'])
    expect(await invalid(cluster)).toEqual(['used'])
    expect(cluster.complaints).toEqual([])
  })

  it('lets a token live that is used again', async () => {
    await using cluster = await start()
    await daysLater(cluster, 367)
    expect(await invalid(cluster)).toEqual(['old', 'used'])
    const today = new Date(cluster.clock.now()).toISOString().slice(0, 10)
    const body = { metadata: { labels: { [LAST_USED]: today, [INVALID_SINCE]: null } } }
    await cluster.client.patch(secretKind, { namespace: NAMESPACE, name: 'old' }, { type: 'merge', body })
    await daysLater(cluster, 300)
    expect(await secretNames(cluster)).toContain('old')
    expect(await invalid(cluster)).toEqual(['used'])
  })
})
