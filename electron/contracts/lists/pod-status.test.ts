import { describe, expect, it } from 'vitest'
import type { ContainerStatus, Pod } from '../../api/core/v1/types.gen.ts'
import { podRequests, podView } from './pod-status.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

function pod(status: Partial<Pod['status']>, more: { spec?: Partial<Pod['spec']>; metadata?: Partial<Pod['metadata']> } = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: ago(600), ...more.metadata },
    spec: { containers: [{ name: 'app', resources: {} }], nodeName: 'moth', ...more.spec },
    status: { phase: 'Running', ...status },
  }
}
const container = (state: ContainerStatus['state'], more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'app',
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  state,
  lastState: {},
  ...more,
})

describe('a pod in one word', () => {
  it('is Running when each container is ready', () => {
    expect(podView(pod({ containerStatuses: [container({ running: {} }, { ready: true })] }), NOW)).toMatchObject({
      word: 'Running',
      tone: 'ok',
      ready: 1,
      total: 1,
    })
  })

  it('names the kill by memory rather than the back-off after it', () => {
    const status = container(
      { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
      { restartCount: 3, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: ago(9) } } },
    )
    expect(podView(pod({ containerStatuses: [status] }), NOW)).toMatchObject({
      word: 'OOMKilled',
      tone: 'err',
      exitCode: 137,
      restarts: 3,
      lastRestart: ago(9),
      container: 'app',
    })
  })

  it('is a back-off with its exit code otherwise', () => {
    const status = container(
      { waiting: { reason: 'CrashLoopBackOff' } },
      { restartCount: 1, lastState: { terminated: { exitCode: 1, reason: 'Error' } } },
    )
    expect(podView(pod({ containerStatuses: [status] }), NOW)).toMatchObject({ word: 'CrashLoopBackOff', tone: 'err', exitCode: 1 })
  })

  it('warns when no machine fits, and waits when none was tried yet', () => {
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/2 nodes are available' }]
    expect(podView(pod({ phase: 'Pending', conditions }, { spec: { nodeName: '' } }), NOW)).toMatchObject({
      word: 'Pending',
      tone: 'warn',
      message: '0/2 nodes are available',
    })
    expect(podView(pod({ phase: 'Pending' }, { spec: { nodeName: '' } }), NOW)).toMatchObject({ word: 'Pending', tone: 'busy' })
  })

  it('is starting at first, and not ready when that lasts', () => {
    const started = (seconds: number) => pod({ containerStatuses: [container({ running: { startedAt: ago(seconds) } })] })
    expect(podView(started(5), NOW)).toMatchObject({ word: 'Starting', tone: 'busy' })
    expect(podView(started(120), NOW)).toMatchObject({ word: 'NotReady', tone: 'warn' })
  })

  it('looks again at a pod that was busy, though the object is the same', () => {
    const one = pod({ containerStatuses: [container({ running: { startedAt: ago(5) } })] })
    expect(podView(one, NOW).word).toBe('Starting')
    expect(podView(one, NOW + 120_000).word).toBe('NotReady')
  })

  it('counts init containers, and says which one is stuck', () => {
    const spec = { initContainers: [{ name: 'migrate', resources: {} }] }
    const running = pod({ phase: 'Pending', initContainerStatuses: [container({ running: {} }, { name: 'migrate' })] }, { spec })
    expect(podView(running, NOW)).toMatchObject({ word: 'Init 0/1', tone: 'busy' })
    const bad = pod(
      { phase: 'Pending', initContainerStatuses: [container({ waiting: { reason: 'ErrImagePull' } }, { name: 'migrate' })] },
      { spec },
    )
    expect(podView(bad, NOW)).toMatchObject({ word: 'Init:ErrImagePull', tone: 'err', container: 'migrate' })
  })

  it('is Terminating, and worth a look when the grace period is long over', () => {
    const going = (seconds: number) => pod({}, { metadata: { deletionTimestamp: ago(seconds) } })
    expect(podView(going(-20), NOW)).toMatchObject({ word: 'Terminating', tone: 'busy' })
    expect(podView(going(90), NOW)).toMatchObject({ word: 'Terminating', tone: 'warn' })
  })

  it('keeps completed apart from failed and evicted', () => {
    expect(podView(pod({ phase: 'Succeeded' }), NOW)).toMatchObject({ word: 'Completed', tone: 'idle' })
    expect(podView(pod({ phase: 'Failed', reason: 'Evicted' }), NOW)).toMatchObject({ word: 'Evicted', tone: 'warn' })
    const ended = container({ terminated: { exitCode: 2, reason: 'Error' } })
    expect(podView(pod({ phase: 'Failed', containerStatuses: [ended] }), NOW)).toMatchObject({ word: 'Error', tone: 'err', exitCode: 2 })
  })
})

describe('what a pod asks for', () => {
  it('is the larger of its containers together and its largest init container', () => {
    const of = (cpu: string, memory: string) => ({ resources: { requests: { cpu, memory } } })
    const spec = {
      containers: [
        { name: 'a', ...of('100m', '64Mi') },
        { name: 'b', ...of('200m', '64Mi') },
      ],
      initContainers: [{ name: 'i', ...of('50m', '1Gi') }],
    }
    const requests = podRequests(pod({}, { spec }))
    expect(requests.cpu).toBeCloseTo(0.3)
    expect(requests.memory).toBe(2 ** 30)
  })
})
