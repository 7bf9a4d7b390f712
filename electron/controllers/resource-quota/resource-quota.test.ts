import { describe, expect, it } from 'vitest'
import { configMap, pod, resourceQuota, service } from '../../api/kinds.gen.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'

const only = ['resourcequota-controller']
const at = (name: string) => ({ name, namespace: NAMESPACE })

async function statusOf({ client }: TestCluster) {
  const { status } = await client.get(resourceQuota, at('q'))
  return { hard: status.hard, used: status.used }
}

describe('the quota controller', () => {
  it('counts what is there, and itself', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(service, { metadata: at('s'), spec: { ports: [{ port: 80 }] } })
    const hard = { resourcequotas: '1', services: '3', 'count/deployments.apps': '2' }
    await client.create(resourceQuota, { metadata: at('q'), spec: { hard } })
    await cluster.quiet()
    expect(await statusOf(cluster)).toEqual({ hard, used: { resourcequotas: '1', services: '1', 'count/deployments.apps': '0' } })
  })

  it('counts down what goes or ends, and agrees with what the server counted up', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(resourceQuota, { metadata: at('q'), spec: { hard: { pods: '3', configmaps: '3' } } })
    await cluster.quiet()
    for (const name of ['a', 'b']) {
      await client.create(pod, { metadata: at(name), spec: { containers: [{ name: 'c', image: 'i' }] } })
      await client.create(configMap, { metadata: at(name) })
    }
    await cluster.quiet()
    expect((await statusOf(cluster)).used).toEqual({ pods: '2', configmaps: '2' })
    await client.patch(pod, at('a'), { type: 'merge', body: { status: { phase: 'Failed' } } }, { subresource: 'status' })
    await client.delete(configMap, at('a'))
    await cluster.quiet()
    expect((await statusOf(cluster)).used).toEqual({ pods: '1', configmaps: '1' })
    expect(cluster.complaints).toEqual([])
  })

  it('follows what the quota allows', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(resourceQuota, { metadata: at('q'), spec: { hard: { pods: '3' } } })
    await cluster.quiet()
    await client.patch(resourceQuota, at('q'), { type: 'merge', body: { spec: { hard: { pods: '5', secrets: '1' } } } })
    await cluster.quiet()
    expect(await statusOf(cluster)).toEqual({ hard: { pods: '5', secrets: '1' }, used: { pods: '0', secrets: '0' } })
  })

  it('puts right in time what somebody wrote into the usage', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(resourceQuota, { metadata: at('q'), spec: { hard: { pods: '3' } } })
    await cluster.quiet()
    await client.patch(resourceQuota, at('q'), { type: 'merge', body: { status: { used: { pods: '3' } } } }, { subresource: 'status' })
    await cluster.advance(5 * 60_000)
    expect((await statusOf(cluster)).used).toEqual({ pods: '0' })
  })
})
