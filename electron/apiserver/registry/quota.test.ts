import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMap, pod, resourceQuota, service } from '../../api/kinds.gen.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const at = (name: string) => ({ name, namespace: 'default' })
const config = (name: string) => ({ metadata: at(name) })

/** As its controller leaves it. */
async function limited(hard: Record<string, string>, used: Record<string, string>, name = 'q'): Promise<void> {
  const made = await test.client.create(resourceQuota, { metadata: at(name), spec: { hard } })
  await test.client.update(resourceQuota, { ...made, status: { hard, used } }, { subresource: 'status' })
}
const used = async (name = 'q') => (await test.client.get(resourceQuota, at(name))).status.used

describe('quotas', () => {
  it('count up what is made, and refuse what is too much', async () => {
    await limited({ configmaps: '2', pods: '1' }, { configmaps: '0', pods: '0' })
    await test.client.create(configMap, config('a'))
    await test.client.create(configMap, config('b'))
    expect(await used()).toEqual({ configmaps: '2', pods: '0' })
    await expect(test.client.create(configMap, config('c'))).rejects.toMatchObject({
      code: 403,
      message: 'configmaps "c" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2',
    })
    expect(await used()).toEqual({ configmaps: '2', pods: '0' })
  })

  it('are never exceeded by many at once', async () => {
    await limited({ configmaps: '5' }, { configmaps: '0' })
    const results = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => test.client.create(configMap, config(`c${i}`))))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    expect(await used()).toEqual({ configmaps: '5' })
  })

  it('count nothing for what fails, or is only tried', async () => {
    await limited({ configmaps: '5' }, { configmaps: '0' })
    await test.client.create(configMap, config('a'), { dryRun: true })
    await test.client.create(configMap, config('a'))
    await expect(test.client.create(configMap, config('a'))).rejects.toMatchObject({ reason: 'AlreadyExists' })
    expect(await used()).toEqual({ configmaps: '1' })
  })

  it('all have a say, or none is charged', async () => {
    await limited({ pods: '5' }, { pods: '0' }, 'wide')
    await limited({ pods: '0' }, { pods: '0' }, 'narrow')
    const draft = { metadata: at('p'), spec: { containers: [{ name: 'c', image: 'i' }] } }
    await expect(test.client.create(pod, draft)).rejects.toThrow('exceeded quota: narrow')
    expect(await used('wide')).toEqual({ pods: '0' })
  })

  it('count what a Service grows to, beside its address', async () => {
    await limited({ services: '1', 'services.nodeports': '1' }, { services: '0', 'services.nodeports': '0' })
    const made = await test.client.create(service, { metadata: at('s'), spec: { ports: [{ port: 80 }], selector: { a: 'b' } } })
    expect(await used()).toEqual({ services: '1', 'services.nodeports': '0' })
    await test.client.patch(service, made.metadata, { type: 'merge', body: { spec: { type: 'NodePort' } } })
    expect(await used()).toEqual({ services: '1', 'services.nodeports': '1' })
    const ports = [80, 81].map((port) => ({ name: `p${port}`, port }))
    const more = test.client.patch(service, made.metadata, { type: 'merge', body: { spec: { ports } } })
    await expect(more).rejects.toThrow('exceeded quota: q, requested: services.nodeports=1')
  })

  it('are of their namespace', async () => {
    await limited({ configmaps: '0' }, { configmaps: '0' })
    await test.client.create(configMap, { metadata: { name: 'a', namespace: 'kube-system' } })
    await expect(test.client.create(configMap, config('a'))).rejects.toThrow('exceeded quota')
  })
})
