import { describe, expect, it } from 'vitest'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { play, Story } from './steps.ts'
import { startWatcher } from './watcher.ts'
import { NAMESPACE, startWorld } from './world.ts'

const NODES = ['node-0', 'node-1', 'node-2']

async function start() {
  const stack = new AsyncDisposableStack()
  const world = stack.use(await startWorld(NODES, play, 1))
  const watcher = stack.use(await startWatcher(world))
  await world.advance(60_000)
  const addPod = (name: string, app: string) =>
    world.client.create(podKind, {
      metadata: { name, namespace: NAMESPACE, labels: { app } },
      spec: { schedulerName: 'nobody', containers: [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '500m' } } }] },
    })
  return { world, watcher, story: new Story(world, watcher, NODES), addPod, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe('what looks on', () => {
  it('sees more on a node than it has', async () => {
    await using planted = await start()
    for (let i = 0; i < 9; i++) {
      const { metadata } = await planted.addPod(`planted-${i}`, 'planted')
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: metadata.name }, target: { kind: 'Node', name: 'node-0' } }
      const path = `/api/v1/namespaces/${NAMESPACE}/pods/${metadata.name}/binding`
      const body = JSON.stringify(binding)
      const answer = await planted.world.client.request({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body })
      await answer.body[Symbol.asyncDispose]()
    }
    await planted.world.advance(0)
    expect(planted.watcher.violations).toContainEqual(expect.stringContaining('4500m of cpu are asked for on node-0'))
  })

  it('sees more pods than a rollout may have', async () => {
    await using planted = await start()
    await planted.story.act({ type: 'deploy', name: 'web', replicas: 1, image: 'app:1', surge: 1, unavailable: 0 })
    expect(planted.watcher.violations).toEqual([])
    for (let i = 0; i < 3; i++) await planted.addPod(`planted-${i}`, 'web')
    await planted.world.advance(0)
    expect(planted.watcher.violations).toContainEqual(expect.stringContaining('web has 3 pods, and may have 2'))
  })
})
