import { describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../testing/cluster.ts'
import type { ExtenderConfig, PostJson } from './extender.ts'

interface Call {
  readonly verb: string
  readonly body: Body
}

interface Body {
  readonly Pod: { readonly metadata: { readonly name: string } }
  readonly Nodes?: { readonly items: readonly { readonly metadata: { readonly name: string } }[] }
  readonly NodeNames?: readonly string[]
  readonly NodeNameToMetaVictims?: Readonly<Record<string, { readonly Pods: readonly { readonly UID: string }[] }>>
  readonly Node?: string
}

type Answer = (call: Call, cluster: TestCluster) => unknown

const asked = ({ body }: Call) => body.NodeNames ?? body.Nodes?.items.map(({ metadata }) => metadata.name) ?? []

async function start(answer: Answer, config: Partial<ExtenderConfig> = {}) {
  const calls: Call[] = []
  const post: PostJson = async (url, body) => {
    const call = { verb: url.slice(url.lastIndexOf('/') + 1), body: body as Body }
    calls.push(call)
    return answer(call, cluster)
  }
  const extenders = [{ urlPrefix: 'http://extender', ...config }]
  const cluster: TestCluster = await startCluster({ extenders, post })
  return { cluster, calls, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() }
}

describe('an extender', () => {
  it('leaves nodes out, and is asked about those only that fit otherwise', async () => {
    const answer: Answer = (call) => ({
      nodes: { items: [{ metadata: { name: 'b' } }] },
      failedNodes: { a: 'too old' },
      asked: asked(call),
    })
    await using world = await start(answer, { filterVerb: 'filter' })
    const { cluster, calls } = world
    for (const [name, cpu] of [
      ['a', '4'],
      ['b', '4'],
      ['small', '1'],
    ] as const)
      await cluster.addNode(name, { cpu })
    await cluster.addPod('web', { requests: { cpu: '2' } })
    await cluster.quiet()
    expect(await cluster.nodeOf('web')).toBe('b')
    expect(calls.map((call) => asked(call).toSorted())).toEqual([['a', 'b']])
    expect(calls[0]?.body.Pod.metadata.name).toBe('web')
  })

  it('says why none does, and is asked again when something has changed', async () => {
    let refuses = true
    const answer: Answer = (call) =>
      refuses ? { NodeNames: [], FailedAndUnresolvableNodes: { a: 'no licence' } } : { nodenames: asked(call) }
    await using world = await start(answer, { filterVerb: 'filter', nodeCacheCapable: true })
    const { cluster, calls } = world
    await cluster.addNode('a')
    await cluster.addPod('web')
    await cluster.quiet()
    expect((await cluster.scheduled('web'))?.message).toMatch(/0\/1 nodes are available: 1 no licence/)
    expect(calls[0]?.body.Nodes).toBeUndefined()
    refuses = false
    await cluster.addNode('b')
    await cluster.advance(10_000)
    expect(await cluster.nodeOf('web')).not.toBe('')
  })

  it('has its scores weighed with those of plugins', async () => {
    const answer: Answer = (call) => asked(call).map((Host) => ({ Host, Score: Host === 'busy' ? 10 : 0 }))
    await using world = await start(answer, { prioritizeVerb: 'prioritize', weight: 10 })
    const { cluster } = world
    await cluster.addNode('free', { cpu: '8' })
    await cluster.addNode('busy', { cpu: '2' })
    await cluster.addPod('web', { requests: { cpu: '1' } })
    await cluster.quiet()
    expect(await cluster.nodeOf('web')).toBe('busy')
  })

  it('is asked only about pods that want what it manages, which plugins need not know of', async () => {
    const managedResources = [{ name: 'example.com/licence', ignoredByScheduler: true }]
    const answer: Answer = (call) => ({ NodeNames: asked(call) })
    await using world = await start(answer, { filterVerb: 'filter', nodeCacheCapable: true, managedResources })
    const { cluster, calls } = world
    await cluster.addNode('a')
    await cluster.addPod('plain')
    await cluster.addPod('licensed', {
      container: { resources: { requests: { 'example.com/licence': '1' }, limits: { 'example.com/licence': '1' } } },
    })
    await cluster.quiet()
    expect([await cluster.nodeOf('plain'), await cluster.nodeOf('licensed')]).toEqual(['a', 'a'])
    expect(calls.map(({ body }) => body.Pod.metadata.name)).toEqual(['licensed'])
  })

  it('that fails holds pods up, unless it can be ignored', async () => {
    const failing: Answer = () => {
      throw new Error('connection refused')
    }
    for (const ignorable of [false, true]) {
      await using world = await start(failing, { filterVerb: 'filter', ignorable })
      const { cluster } = world
      await cluster.addNode('a')
      await cluster.addPod('web')
      await cluster.quiet()
      expect(await cluster.nodeOf('web')).toBe(ignorable ? 'a' : '')
      if (!ignorable)
        expect(await cluster.scheduled('web')).toMatchObject({
          reason: 'SchedulerError',
          message: expect.stringContaining('connection refused') as string,
        })
    }
  })

  it('binds in the place of the scheduler', async () => {
    const bound: Promise<unknown>[] = []
    const answer: Answer = ({ body }, { client }) => {
      const { PodName: name, PodNamespace: namespace, Node } = body as unknown as Record<string, string>
      const path = `/api/v1/namespaces/${namespace}/pods/${name}/binding`
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target: { kind: 'Node', name: Node } }
      bound.push(client.request({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(binding) }))
      return {}
    }
    await using world = await start(answer, { bindVerb: 'bind' })
    const { cluster, calls } = world
    await cluster.addNode('a')
    await cluster.addPod('web')
    await cluster.quiet()
    await Promise.all(bound)
    expect(await cluster.nodeOf('web')).toBe('a')
    expect(calls.map(({ verb, body }) => [verb, body.Node])).toEqual([['bind', 'a']])
  })

  it('has a say in who is displaced', async () => {
    const answer: Answer = ({ body }) => {
      const { b } = body.NodeNameToMetaVictims ?? {}
      return { NodeNameToMetaVictims: b ? { b } : {} }
    }
    await using world = await start(answer, { preemptVerb: 'preempt', nodeCacheCapable: true })
    const { cluster, calls } = world
    for (const name of ['a', 'b']) {
      await cluster.addNode(name, { cpu: '2' })
      await cluster.addPod(`low-${name}`, { requests: { cpu: '2' }, spec: { nodeSelector: { 'kubernetes.io/hostname': name } } })
    }
    await cluster.quiet()
    calls.length = 0
    await cluster.addPod('high', { requests: { cpu: '2' }, spec: { priorityClassName: 'system-cluster-critical' } })
    await cluster.quiet()
    expect((await cluster.pod('high')).status.nominatedNodeName).toBe('b')
    expect((await cluster.pod('low-a')).metadata.deletionTimestamp).toBeUndefined()
    expect((await cluster.pod('low-b')).metadata.deletionTimestamp).toBeDefined()
    expect(Object.keys(calls[0]?.body.NodeNameToMetaVictims ?? {}).toSorted()).toEqual(['a', 'b'])
  })
})
