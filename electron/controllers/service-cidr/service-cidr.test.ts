import { describe, expect, it } from 'vitest'
import { serviceCIDR } from '../../api/networking/v1/service-cidr.ts'
import { startCluster, type TestCluster } from '../testing/cluster.ts'

const start = (serviceCidr?: string) =>
  startCluster({ only: ['service-cidr-controller'], hollow: { nodes: 0 }, ...(serviceCidr ? { options: { serviceCidr } } : {}) })
const shown = async ({ client }: TestCluster) =>
  (await client.list(serviceCIDR)).items.map(({ metadata, spec, status }) => [
    metadata.name,
    spec.cidrs?.join(','),
    status.conditions?.map(({ type, status: value }) => `${type}=${value}`).join(','),
  ])

describe('the range of Services', () => {
  it('is told, and told again when somebody deletes it', async () => {
    await using cluster = await start('10.96.0.0/16')
    expect(await shown(cluster)).toEqual([['kubernetes', '10.96.0.0/16', 'Ready=True']])
    await cluster.client.delete(serviceCIDR, { name: 'kubernetes' })
    await cluster.quiet()
    expect(await shown(cluster)).toEqual([['kubernetes', '10.96.0.0/16', 'Ready=True']])
  })

  it('is the only one of which addresses are taken, as others say', async () => {
    await using cluster = await start('10.96.0.0/16')
    await cluster.client.create(serviceCIDR, { metadata: { name: 'more' }, spec: { cidrs: ['10.97.0.0/16'] } })
    await cluster.quiet()
    expect(await shown(cluster)).toContainEqual(['more', '10.97.0.0/16', 'Ready=False'])
    const [condition] = (await cluster.client.get(serviceCIDR, { name: 'more' })).status.conditions ?? []
    expect(condition).toMatchObject({
      reason: 'NotSupported',
      message: 'this cluster takes the addresses of Services from 10.96.0.0/16 only',
    })
    expect(cluster.writes.filter((write) => write.includes('more'))).toHaveLength(1)
  })

  it('is not told where it is not known', async () => {
    await using cluster = await start()
    expect(await shown(cluster)).toEqual([])
  })
})
