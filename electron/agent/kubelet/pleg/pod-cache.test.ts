import { describe, expect, it } from 'vitest'
import { FakeClock, settle } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/logger.ts'
import { FakeCri } from '../../runtime/testing/fake-cri.ts'
import { CONTAINER_NAME, POD_NAME, POD_NAMESPACE, POD_UID } from '../pods/names.ts'
import { createPodCache } from './pod-cache.ts'

async function open() {
  const clock = new FakeClock()
  const cri = new FakeCri(clock)
  const labels = { [POD_NAME]: 'web', [POD_NAMESPACE]: 'default', [POD_UID]: 'u1' }
  const sandbox = await cri.runSandbox({ metadata: { name: 'web', namespace: 'default', uid: 'u1', attempt: 0 }, labels })
  const start = async (name: string) => {
    const id = await cri.createContainer(sandbox, { metadata: { name, attempt: 0 }, labels: { ...labels, [CONTAINER_NAME]: name } })
    await cri.startContainer(id)
    return id
  }
  const cache = createPodCache({ cri, events: cri.events, clock, logger: silentLogger, terminationMessage: async () => 'last words' })
  const changed: string[] = []
  cache.changed.on((uid) => changed.push(uid))
  return { clock, cri, cache, changed, sandbox, start }
}

describe('the pod cache', () => {
  it('sees what is there, and what changes as containerd tells it', async () => {
    const { cache, changed, cri, start, sandbox } = await open()
    const id = await start('main')
    await cache.start()
    expect(cache.get('u1')).toMatchObject({
      name: 'web',
      sandboxes: [{ id: sandbox, ips: ['10.0.0.1'] }],
      containers: [{ id, state: 'running', sandboxId: sandbox }],
    })
    cri.exit('main', 3)
    await settle()
    expect(cache.get('u1')?.containers[0]).toMatchObject({ state: 'exited', exitCode: 3, terminationMessage: 'last words' })
    expect(cache.findContainer(id)?.pod.uid).toBe('u1')
    expect(changed).toEqual(['u1', 'u1'])
    await cache[Symbol.asyncDispose]()
  })

  it('finds by itself what no event told, and what is gone', async () => {
    const { cache, clock, cri, start, sandbox } = await open()
    await cache.start()
    const id = await start('main')
    expect(cache.get('u1')?.containers).toHaveLength(0)
    await clock.advance(10_000)
    expect(cache.get('u1')?.containers).toHaveLength(1)
    cri.containers.delete(id)
    cri.sandboxes.delete(sandbox)
    await clock.advance(10_000)
    expect(cache.get('u1')).toBeUndefined()
    await cache[Symbol.asyncDispose]()
  })

  it('tells what it does not know yet from what is not there', async () => {
    const { cache, clock, cri } = await open()
    const list = cri.listContainers.bind(cri)
    cri.listContainers = async () => {
      throw new Error('containerd starts')
    }
    await cache.start()
    expect([cache.get('u1'), cache.knows('u1')]).toEqual([undefined, false])
    cri.listContainers = list
    await cache.refresh('u1')
    expect([cache.knows('u1'), cache.knows('u2')]).toEqual([true, false])
    await clock.advance(10_000)
    expect(cache.knows('u2')).toBe(true)
    await cache[Symbol.asyncDispose]()
  })

  it('looks every second while events do not come', async () => {
    const { cache, clock, cri, start } = await open()
    Object.assign(cri.events, { connected: false })
    await cache.start()
    await clock.advance(10_000)
    await start('main')
    await clock.advance(1000)
    expect(cache.get('u1')?.containers).toHaveLength(1)
    await cache[Symbol.asyncDispose]()
  })

  it('gives everybody who asks a look that began after the question, and no more looks than that', async () => {
    const { cache, cri, start } = await open()
    await cache.start()
    let looks = 0
    const list = cri.listContainers.bind(cri)
    cri.listContainers = async (filter) => {
      looks++
      const seen = await list(filter)
      await settle()
      return seen
    }
    const first = cache.refresh('u1')
    await start('late')
    const asked = [cache.refresh('u1'), cache.refresh('u1'), cache.refresh('u1')]
    expect((await first)?.containers).toHaveLength(0)
    for (const answer of await Promise.all(asked)) expect(answer?.containers).toHaveLength(1)
    expect(looks).toBe(2)
    await cache[Symbol.asyncDispose]()
  })
})
