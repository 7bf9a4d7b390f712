import { describe, expect, it } from 'vitest'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { formatTime } from '../../api/values/time.ts'
import { startCluster, type TestCluster } from '../testing/cluster.ts'

const only = ['token-cleaner-controller']
const TYPE = 'bootstrap.kubernetes.io/token'
const token = ({ client }: TestCluster, id: string, expiration?: string, type = TYPE) =>
  client.create(secretKind, {
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type,
    stringData: { 'token-id': id, 'token-secret': '0123456789abcdef', ...(expiration === undefined ? {} : { expiration }) },
  })
const ids = async ({ client }: TestCluster) =>
  (await client.list(secretKind, { namespace: 'kube-system' })).items.map(({ metadata }) => metadata.name.slice(-6)).sort()
const patch = (body: unknown) => ({ type: 'merge', body }) as const

describe('the token cleaner', () => {
  it('deletes a token when its time is over, and not before', async () => {
    await using cluster = await startCluster({ only })
    const { clock } = cluster
    await token(cluster, 'aaaaaa', formatTime(clock.now() + 90 * 60_000))
    await token(cluster, 'bbbbbb')
    await token(cluster, 'cccccc', formatTime(clock.now() - 1000), 'Opaque')
    await cluster.advance(90 * 60_000 - 1000)
    expect(await ids(cluster)).toEqual(['aaaaaa', 'bbbbbb', 'cccccc'])
    await cluster.advance(1000)
    expect(await ids(cluster)).toEqual(['bbbbbb', 'cccccc'])
    expect(cluster.complaints).toEqual([])
  })

  it('lets a token live that was given more time', async () => {
    await using cluster = await startCluster({ only })
    const { client, clock } = cluster
    const { metadata } = await token(cluster, 'aaaaaa', formatTime(clock.now() + 60_000))
    await cluster.advance(30_000)
    await client.patch(secretKind, metadata, patch({ stringData: { expiration: formatTime(clock.now() + 120_000) } }))
    await cluster.advance(119_000)
    expect(await ids(cluster)).toEqual(['aaaaaa'])
    await cluster.advance(1000)
    expect(await ids(cluster)).toEqual([])
  })

  it('deletes one whose date cannot be read, and after a sleep what expired meanwhile', async () => {
    await using cluster = await startCluster({ only })
    const { clock } = cluster
    await token(cluster, 'aaaaaa', 'tomorrow')
    await token(cluster, 'bbbbbb', formatTime(clock.now() + 5 * 3_600_000))
    await cluster.quiet()
    expect(await ids(cluster)).toEqual(['bbbbbb'])
    clock.jump(6 * 3_600_000)
    await cluster.advance(3_600_000)
    expect(await ids(cluster)).toEqual([])
  })
})
