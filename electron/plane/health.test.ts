import { expect, it } from 'vitest'
import { namespace as namespaceKind } from '../api/core/v1/namespace.ts'
import { node as nodeKind } from '../api/core/v1/node.ts'
import { pod as podKind } from '../api/core/v1/pod.ts'
import type { Pod } from '../api/core/v1/types.gen.ts'
import { startTestServer } from '../apiserver/testing/harness.ts'
import { settle } from '../base/fake-clock.ts'
import { seededRandom } from '../base/random.ts'
import { followHealth, type Health } from './health.ts'

it('is reported when the whole cluster has been seen, and when it changes', async () => {
  await using server = await startTestServer({})
  const { client, clock } = server
  await client.create(namespaceKind, { metadata: { name: 'shop' } })
  const silent = await client.create(nodeKind, { metadata: { name: 'berta' } })
  await client.create(nodeKind, { metadata: { name: 'anton' } })
  const made = await client.create(podKind, {
    metadata: { namespace: 'shop', name: 'web' },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'main', image: 'example.org/x:1' }] },
  })
  const write = (phase: string, reason?: string): Promise<Pod> => {
    const state = reason === undefined ? { running: {} } : { waiting: { reason } }
    const container = { name: 'main', image: 'x', imageID: '', ready: false, restartCount: 3, state }
    return client.update(
      podKind,
      {
        ...made,
        metadata: { ...made.metadata, resourceVersion: '' },
        status: { ...made.status, phase, containerStatuses: [container] },
      } as Pod,
      {
        subresource: 'status',
      },
    )
  }
  const reports: Health[] = []
  const stopping = new AbortController()
  const following = followHealth({ client, clock, random: seededRandom(1) }, (health) => reports.push(health), stopping.signal)
  const next = async () => {
    await settle(50)
    await clock.advance(1100)
    await settle(50)
    return reports.at(-1)
  }
  expect(await next()).toEqual({ nodes: { ready: 0, total: 2 }, pods: { running: 0, total: 1 }, silent: ['anton', 'berta'], looping: [] })

  const conditions = [
    { type: 'Ready', status: 'True', lastHeartbeatTime: null, lastTransitionTime: null, reason: 'KubeletReady', message: '' },
  ]
  await client.update(nodeKind, { ...silent, status: { ...silent.status, conditions } } as unknown as typeof silent, {
    subresource: 'status',
  })
  await write('Running', 'CrashLoopBackOff')
  expect(await next()).toEqual({
    ...{ nodes: { ready: 1, total: 2 }, pods: { running: 0, total: 1 }, silent: ['anton'] },
    looping: [{ namespace: 'shop', name: 'web' }],
  })
  await write('Running')
  expect(await next()).toMatchObject({ pods: { running: 1, total: 1 }, looping: [] })

  const count = reports.length
  await next()
  expect(reports).toHaveLength(count)
  stopping.abort()
  await clock.advance(1100)
  await following
})
