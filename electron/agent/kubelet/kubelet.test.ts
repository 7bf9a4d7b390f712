import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../../base/async.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import type { ContainerStatus, Pod } from '../../api/core/v1/types.gen.ts'
import { openFakeNode } from '../testing/fake-node.ts'
import type { FakeNode } from '../testing/fake-node.ts'

let node: FakeNode
beforeEach(async () => {
  node = await openFakeNode()
})
afterEach(() => node[Symbol.asyncDispose]())

const main = (pod: Pod): ContainerStatus | undefined => pod.status.containerStatuses?.[0]
const isReady = (pod: Pod) => pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const ready = (name: string) => node.until(`${name} is ready`, async () => [await node.get(name)].find(isReady))
const calls = (prefix: string) => node.cri.calls.filter((call) => call.startsWith(prefix))
const reasons = () => node.events.map((event) => event.split(': ')[1])

describe('a crashing container', () => {
  it('is restarted at once, then after 10 s, doubling up to five minutes, and at once again after ten good ones', async () => {
    await node.create('web', { containers: [{ name: 'main' }] })
    await ready('web')
    const waits: number[] = []
    for (let restart = 1; restart <= 8; restart++) {
      node.cri.exit('main', 1)
      const crashed = node.clock.now()
      await node.until(
        `restart ${restart}`,
        async () => main(await node.get('web'))?.restartCount === restart && isReady(await node.get('web')),
        400_000,
      )
      waits.push(Math.round((node.clock.now() - crashed) / 1000))
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300])
    await node.pass(601_000)
    node.cri.exit('main', 1)
    await node.until('restart 9', async () => main(await node.get('web'))?.restartCount === 9, 2000)
  }, 60_000)

  it('says how long it waits and for what', async () => {
    await node.create('web', { containers: [{ name: 'main' }] })
    await ready('web')
    for (let i = 0; i < 2; i++) {
      node.cri.exit('main', 1)
      await node.until('it is seen', async () => main(await node.get('web'))?.restartCount === 1)
    }
    const pod = await node.until('it waits', async () => [await node.get('web')].find((p) => main(p)?.state.waiting))
    expect(main(pod)?.state.waiting).toEqual({
      reason: 'CrashLoopBackOff',
      message: `back-off 10s restarting failed container=main pod=web_default(${pod.metadata.uid})`,
    })
    expect(pod.status.phase).toBe('Running')
    expect(isReady(pod)).toBe(false)
  })
})

describe('a sandbox that is lost', () => {
  it('takes the pod with it, which begins anew with its init containers', async () => {
    await node.create('web', { initContainers: [{ name: 'init', image: 'busybox:1' }], containers: [{ name: 'main' }] })
    await node.until('init runs', () => calls('start init').length === 1)
    node.cri.exit('init', 0)
    await ready('web')
    const [sandbox] = [...node.cri.sandboxes.values()]
    if (!sandbox) throw new Error('no sandbox')
    sandbox.ready = false
    node.cri.exit('main', 137)
    await node.until('init runs again', () => calls('start init').length === 2)
    node.cri.exit('init', 0)
    const pod = await ready('web')
    expect(calls('sandbox')).toEqual(['sandbox web 0', 'sandbox web 1'])
    expect(main(pod)?.restartCount).toBe(1)
    expect(node.events).toContain('web: Normal SandboxChanged: Pod sandbox changed, it will be killed and re-created.')
  })
})

describe('a pod that is deleted', () => {
  it('gets its grace: first its containers, then its sidecars in reverse, then it is gone everywhere', async () => {
    const sidecar = (name: string) => ({ name, image: 'busybox:1', restartPolicy: 'Always' })
    await node.create('web', {
      terminationGracePeriodSeconds: 30,
      initContainers: [sidecar('one'), sidecar('two')],
      containers: [{ name: 'main' }, { name: 'other' }],
    })
    await ready('web')
    node.cri.stopTakes = 5000
    await node.remove('web')
    await node.until('it is gone', async () => (await node.get('web').catch(() => null)) === null)
    const stops = calls('stop ')
    expect(new Set(stops.slice(0, 2))).toEqual(new Set(['stop main 30', 'stop other 30']))
    expect(stops.slice(2)).toEqual(['stop two 25', 'stop one 20', 'stop sandbox web'])
    await node.until('nothing is left', () => node.cri.containers.size === 0 && node.cri.sandboxes.size === 0)
    expect([...node.groups.keys()].some((path) => path.includes('/pod'))).toBe(false)
  })

  it('is killed at once with no grace, and cleared even if the API forgot it first', async () => {
    await node.create('web', { containers: [{ name: 'main' }] })
    await ready('web')
    node.cri.stopTakes = Infinity
    await node.remove('web', 0)
    await node.until('nothing is left', () => node.cri.containers.size === 0, 40_000)
    await expect(node.get('web')).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('makes room for another of its name', async () => {
    await node.create('web', { containers: [{ name: 'main' }] })
    await ready('web')
    await node.remove('web', 1)
    await node.until('it is gone', async () => (await node.get('web').catch(() => null)) === null)
    await node.create('web', { containers: [{ name: 'main' }] })
    const pod = await ready('web')
    expect(main(pod)?.restartCount).toBe(0)
  })
})

describe('a restart of the kubelet', () => {
  it('changes nothing of what runs, and finds what ended meanwhile', async () => {
    await node.create('web', { containers: [{ name: 'main' }, { name: 'other' }] })
    await ready('web')
    const before = node.cri.calls.length
    await node.restart()
    await node.pass(15_000)
    expect(node.cri.calls.slice(before)).toEqual([])
    node.cri.exit('other', 1)
    await node.restart()
    await node.until('it is restarted', async () => (await node.get('web')).status.containerStatuses?.[1]?.restartCount === 1)
  })

  it('keeps what probes said the moment before', async () => {
    node.cri.onExec = async () => ({ exitCode: 0, stderr: Buffer.alloc(0) })
    await node.create('web', { containers: [{ name: 'main', readinessProbe: { exec: { command: ['check'] }, periodSeconds: 10 } }] })
    const since = (pod: Pod) => pod.status.conditions?.find(({ type }) => type === 'Ready')
    const before = since(await ready('web'))
    await node.restart()
    await node.pass(15_000)
    expect(since(await node.get('web'))).toEqual(before)
  })

  it('takes the word of the API server on a container whose first look is under way', async () => {
    let asked = 0
    const answer = deferred<void>()
    node.cri.onExec = async () => {
      if (++asked > 1) await answer.promise
      return { exitCode: 0, stderr: Buffer.alloc(0) }
    }
    await node.create('web', { containers: [{ name: 'main', readinessProbe: { exec: { command: ['check'] }, periodSeconds: 10 } }] })
    const before = (await ready('web')).status
    // What the disk has is older: of a pod that was not ready yet.
    await node.restart(async () => {
      await node.pass(2000)
      await node.until('the container is looked at', () => asked === 2)
    })
    await node.pass(2000)
    expect((await node.get('web')).status).toEqual(before)
    answer.resolve()
    await node.pass(15_000)
    expect((await node.get('web')).status).toEqual(before)
  })

  it('says nothing of its pods before the container runtime has answered', async () => {
    await node.create('web', { containers: [{ name: 'main' }] })
    const before = (await ready('web')).status
    await node.pass(2000)
    const { cri } = node
    const list = cri.listContainers.bind(cri)
    cri.listContainers = async () => {
      throw new Error('containerd starts')
    }
    await node.restart()
    await node.pass(5000)
    expect((await node.get('web')).status).toEqual(before)
    cri.listContainers = list
    await node.pass(30_000)
    expect((await node.get('web')).status).toEqual(before)
    cri.exit('main', 1)
    await node.until('it is restarted', async () => main(await node.get('web'))?.restartCount === 1)
  })

  it('ends what was deleted meanwhile', async () => {
    await node.create('web', { containers: [{ name: 'main' }] })
    await ready('web')
    await node.kubelet[Symbol.asyncDispose]()
    await node.remove('web', 0)
    await node.restart()
    await node.until('nothing is left', () => node.cri.containers.size === 0 && node.cri.sandboxes.size === 0)
  })
})

describe('probes', () => {
  it('restart a container after so many failures, with the grace of the probe', async () => {
    let healthy = true
    node.cri.onExec = async () => ({ exitCode: healthy ? 0 : 1, stderr: Buffer.from('down') })
    const livenessProbe = { exec: { command: ['check'] }, periodSeconds: 10, failureThreshold: 3, terminationGracePeriodSeconds: 7 }
    await node.create('web', { containers: [{ name: 'main', livenessProbe }] })
    await ready('web')
    await node.pass(30_000)
    expect(calls('stop main')).toEqual([])
    healthy = false
    await node.until('it is stopped', () => calls('stop main').length === 1, 40_000)
    healthy = true
    expect(calls('stop main')).toEqual(['stop main 7'])
    await node.until('it runs again', async () => main(await node.get('web'))?.restartCount === 1)
    expect(node.events).toContain('web: Warning Unhealthy: Liveness probe failed: down')
    expect(node.events).toContain('web: Normal Killing: Container main failed liveness probe, will be restarted')
  })
})

describe('the network', () => {
  it('is waited for by pods that need one of their own, and by the node', async () => {
    node.cri.network = 'cni plugin not initialized'
    await node.pass(11_000)
    await node.create('web', { containers: [{ name: 'main' }] })
    await node.create('host', { hostNetwork: true, containers: [{ name: 'main' }] })
    await ready('host')
    expect(calls('sandbox')).toEqual(['sandbox host 0'])
    expect(reasons()).toContain('Warning NetworkNotReady')
    node.cri.network = null
    await ready('web')
    const found = node.kubelet.node.manager.node
    expect(found?.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
  })
})

describe('a pod with devices', () => {
  it('is not run without them, and says why', async () => {
    await node.create('train', { containers: [{ name: 'main' }], resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] })
    await node.until('it says so', async () => reasons().includes('Warning FailedPrepareDynamicResources'))
    expect(calls('sandbox')).toEqual([])
  })
})

describe('a node that was given up as silent', () => {
  it('says at once that it is ready when it hears of that, and not only with the next report', async () => {
    const at = { name: 'moth' }
    const ready = async () => {
      const { status } = await node.client.get(nodeKind, at)
      return status.conditions?.find(({ type }) => type === 'Ready')
    }
    await node.until('it is ready', async () => (await ready())?.status === 'True')
    await node.pass(60_000)
    const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }]
    await node.client.patch(nodeKind, at, { type: 'strategic', body: { status: { conditions } } }, { subresource: 'status' })
    expect((await ready())?.status).toBe('Unknown')
    await node.until('it is ready again', async () => (await ready())?.reason === 'KubeletReady', 2000)
  })
})

describe('a resize', () => {
  it('waits for room, and is then carried out without a restart', async () => {
    const cpus = node.kubelet.node.machine.cpus
    const resources = (cpu: number) => ({ requests: { cpu: String(cpu) } })
    await node.create('big', { containers: [{ name: 'main', resources: resources(cpus - 1) }] })
    await node.create('web', { containers: [{ name: 'main', resources: { requests: { cpu: '100m' } } }] })
    await ready('big')
    await ready('web')
    await node.patch('web', { containers: [{ name: 'main', resources: { requests: { cpu: String(cpus) } } }] }, 'resize')
    const pending = await node.until('it waits', async () =>
      [await node.get('web')].find((p) => p.status.conditions?.some(({ type }) => type === 'PodResizePending')),
    )
    expect(pending.status.conditions?.find(({ type }) => type === 'PodResizePending')).toMatchObject({ status: 'True', reason: 'Deferred' })
    await node.remove('big', 1)
    const done = await node.until('it is done', async () =>
      [await node.get('web')].find((p) => main(p)?.allocatedResources?.['cpu'] === String(cpus)),
    )
    expect(main(done)?.restartCount).toBe(0)
    await node.until(
      'nothing is pending',
      async () => !(await node.get('web')).status.conditions?.some(({ type }) => type.startsWith('PodResize')),
    )
    expect(calls('update main')).toHaveLength(1)
    expect(done.status.observedGeneration).toBe(2)
  })
})
