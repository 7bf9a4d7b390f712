import { describe, expect, it } from 'vitest'
import type { ContainerStatus, Pod, PodStatus } from '../../../api/core/v1/types.gen.ts'
import type { RuntimePod } from '../pleg/runtime-pod.ts'
import { pod } from '../../testing/pods.ts'
import { exited, running, runtimePod, sandbox } from '../../testing/runtime-pods.ts'
import { podStatus, terminatedStatus } from './pod-status.ts'
import type { PodStatusInput } from './pod-status.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')
const READY = { isStarted: () => true, isReady: () => true }

function status(wanted: Pod, runtime: RuntimePod | undefined, more: Partial<PodStatusInput> = {}): PodStatus {
  const input = { pod: wanted, runtime, previous: wanted.status, waiting: new Map(), readiness: READY, isTerminal: false, failure: null }
  return podStatus({ ...input, hostIPs: ['192.168.1.2'], now: NOW, ...more })
}
const condition = (of: PodStatus, type: string) => of.conditions?.find((c) => c.type === type)
const main = (of: PodStatus): ContainerStatus => of.containerStatuses?.[0] as ContainerStatus

describe('the phase', () => {
  const two = pod({ containers: [{ name: 'a' }, { name: 'b' }] })
  it.each([
    ['Pending', 'nothing was made yet', two, []],
    ['Pending', 'one container is still to come', two, [running('a')]],
    ['Running', 'all run', two, [running('a'), running('b')]],
    ['Running', 'one will be restarted', two, [running('a'), exited('b', 1)]],
    ['Succeeded', 'all have done their work', pod({ restartPolicy: 'Never' }), [exited('main', 0)]],
    [
      'Failed',
      'one has failed for good',
      pod({ restartPolicy: 'Never', containers: [{ name: 'a' }, { name: 'b' }] }),
      [exited('a', 0), exited('b', 2)],
    ],
    ['Running', 'a failure will be repeated', pod({ restartPolicy: 'OnFailure' }), [exited('main', 2)]],
    ['Succeeded', 'a success will not', pod({ restartPolicy: 'OnFailure' }), [exited('main', 0)]],
    ['Pending', 'an init container runs', pod({ initContainers: [{ name: 'init' }] }), [running('init')]],
    ['Pending', 'an init container will be repeated', pod({ initContainers: [{ name: 'init' }] }), [exited('init', 1)]],
    [
      'Failed',
      'an init container has failed for good',
      pod({ restartPolicy: 'Never', initContainers: [{ name: 'init' }] }),
      [exited('init', 1)],
    ],
    [
      'Running',
      'a sidecar has ended beside a running container',
      pod({ initContainers: [{ name: 'side', restartPolicy: 'Always' }] }),
      [exited('side', 1), running('main')],
    ],
  ] as const)('is %s when %s', (phase, _when, wanted, containers) => {
    expect(status(wanted, runtimePod(containers)).phase).toBe(phase)
  })

  it('never leaves its end', () => {
    const ended = pod({ restartPolicy: 'Never' })
    ended.status = { phase: 'Failed', reason: 'Evicted', message: 'why' }
    expect(status(ended, runtimePod([running('main')]))).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'why' })
  })

  it('is Failed with its reason when the node ends the pod', () => {
    const failure = { reason: 'DeadlineExceeded', message: 'too long' }
    expect(status(pod(), runtimePod([running('main')]), { failure })).toMatchObject({ phase: 'Failed', ...failure })
  })
})

describe('containers', () => {
  it('tell how they run, with ids and times as the API has them', () => {
    const own = running('main', { restarts: 2 })
    const before = exited('main', 137, { restarts: 1, reason: 'OOMKilled', terminationMessage: 'last words' })
    expect(main(status(pod(), runtimePod([before, own])))).toEqual({
      name: 'main',
      image: 'busybox:1',
      imageID: 'sha256:1',
      containerID: 'containerd://main-2',
      restartCount: 2,
      ready: true,
      started: true,
      resources: {},
      state: { running: { startedAt: '2026-01-01T00:00:01Z' } },
      lastState: {
        terminated: {
          exitCode: 137,
          reason: 'OOMKilled',
          message: 'last words',
          startedAt: '2026-01-01T00:00:01Z',
          finishedAt: '2026-01-01T00:00:02Z',
          containerID: 'containerd://main-1',
        },
      },
    })
  })

  it('wait with a reason, and keep how they ended before', () => {
    const waiting = new Map([['main', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]])
    const told = main(status(pod(), runtimePod([exited('main', 1)]), { waiting }))
    expect(told.state).toEqual({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } })
    expect(told.lastState.terminated).toMatchObject({ exitCode: 1 })
    expect(main(status(pod({ initContainers: [{ name: 'init' }] }), runtimePod([]))).state.waiting?.reason).toBe('PodInitializing')
    expect(main(status(pod({ restartPolicy: 'Never' }), runtimePod([exited('main', 1)]), { waiting })).state.terminated).toBeDefined()
  })

  it('have not begun where they could not be started', () => {
    const told = main(status(pod({ restartPolicy: 'Never' }), runtimePod([exited('main', 128, { startedAt: 0, reason: 'StartError' })])))
    expect(told.state.terminated).not.toHaveProperty('startedAt')
    expect(told.state.terminated).toMatchObject({ reason: 'StartError', exitCode: 128 })
  })

  it('keep what was told of them after they were cleaned away', () => {
    const done = pod({ initContainers: [{ name: 'init' }] })
    const terminated = { exitCode: 0, reason: 'Completed' }
    done.status = { initContainerStatuses: [{ ...main(status(pod(), undefined)), name: 'init', state: { terminated } }] }
    expect(status(done, runtimePod([running('main')])).initContainerStatuses?.[0]?.state).toEqual({ terminated })
  })
})

describe('conditions', () => {
  it('say what is not ready and why', () => {
    const readiness = { isStarted: () => true, isReady: (_uid: string, { name }: { name: string }) => name === 'a' }
    const made = status(pod({ containers: [{ name: 'a' }, { name: 'b' }] }), runtimePod([running('a'), running('b')]), { readiness })
    expect(condition(made, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [b]',
    })
    expect(condition(made, 'ContainersReady')).toMatchObject({ status: 'False' })
    expect(condition(made, 'Initialized')).toMatchObject({ status: 'True' })
  })

  it('wait for gates that others open', () => {
    const gated = pod({ readinessGates: [{ conditionType: 'lb' }] })
    expect(condition(status(gated, runtimePod([running('main')])), 'Ready')).toMatchObject({
      reason: 'ReadinessGatesNotReady',
      message: 'corresponding condition of pod readiness gate "lb" does not exist.',
    })
    gated.status = { conditions: [{ type: 'lb', status: 'True' }] }
    expect(condition(status(gated, runtimePod([running('main')])), 'Ready')?.status).toBe('True')
  })

  it('change their time only with their value, and leave those of others alone', () => {
    const before = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:05Z' }
    const foreign = { type: 'example.org/x', status: 'False' }
    const known = pod()
    known.status = { conditions: [before, foreign] }
    expect(condition(status(known, runtimePod([running('main')])), 'Ready')?.lastTransitionTime).toBe(before.lastTransitionTime)
    expect(condition(status(known, runtimePod([])), 'Ready')?.lastTransitionTime).toBe('2026-01-01T01:00:00Z')
    expect(condition(status(known, runtimePod([])), foreign.type)).toEqual(foreign)
  })

  it('tell the end of a pod', () => {
    const done = status(pod({ restartPolicy: 'Never' }), runtimePod([exited('main', 0)], [sandbox({ ready: false })]))
    expect(condition(done, 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' })
    expect(condition(done, 'Initialized')).toMatchObject({ status: 'True', reason: 'PodCompleted' })
    expect(condition(done, 'PodReadyToStartContainers')?.status).toBe('False')
  })
})

describe('addresses', () => {
  it("are the sandbox's, or the node's with its network, and stay known after the sandbox", () => {
    expect(status(pod(), runtimePod([running('main')]))).toMatchObject({
      podIP: '10.0.0.5',
      hostIP: '192.168.1.2',
      hostIPs: [{ ip: '192.168.1.2' }],
    })
    const host = pod({ hostNetwork: true })
    expect(status(host, runtimePod([running('main')], [sandbox({ hostNetwork: true, ips: [] })])).podIP).toBe('192.168.1.2')
    const known = pod()
    known.status = { podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }] }
    expect(status(known, runtimePod([], [sandbox({ ready: false })])).podIP).toBe('10.0.0.9')
  })
})

describe('the last status', () => {
  it('closes what is gone without a trace, and fails a pod that has not ended by itself', () => {
    const wanted = pod({ containers: [{ name: 'a' }, { name: 'b' }] }, { deletionTimestamp: '2026-01-01T00:00:30Z' })
    const last = terminatedStatus(wanted, status(wanted, runtimePod([exited('a', 143)]), { isTerminal: true }))
    expect(last.phase).toBe('Failed')
    expect(last.containerStatuses?.map(({ state }) => state.terminated?.reason)).toEqual(['Error', 'ContainerStatusUnknown'])
  })

  it('leaves waiting what an init container that failed has kept from starting', () => {
    const wanted = pod({ initContainers: [{ name: 'first' }, { name: 'second' }], restartPolicy: 'Never' })
    const last = terminatedStatus(wanted, status(wanted, runtimePod([exited('first', 1)]), { isTerminal: true }))
    expect(last.phase).toBe('Failed')
    expect(last.initContainerStatuses?.map(({ state }) => Object.keys(state))).toEqual([['terminated'], ['waiting']])
    expect(last.containerStatuses?.map(({ state }) => Object.keys(state))).toEqual([['waiting']])
    const done = terminatedStatus(wanted, status(wanted, runtimePod([exited('first', 0), exited('second', 0)]), { isTerminal: true }))
    expect(done.containerStatuses?.[0]?.state.terminated?.reason).toBe('ContainerStatusUnknown')
  })

  it('of a pod that ended well when it was told to is Succeeded', () => {
    const wanted = pod({}, { deletionTimestamp: '2026-01-01T00:00:30Z' })
    expect(terminatedStatus(wanted, status(wanted, runtimePod([exited('main', 0)]), { isTerminal: true })).phase).toBe('Succeeded')
  })
})
