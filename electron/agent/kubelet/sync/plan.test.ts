import { describe, expect, it } from 'vitest'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import type { RuntimePod } from '../pleg/runtime-pod.ts'
import { pod } from '../../testing/pods.ts'
import { exited, running, runtimePod, sandbox } from '../../testing/runtime-pods.ts'
import { planPod } from './plan.ts'
import type { Verdict } from './container-kill.ts'

interface Verdicts {
  liveness?: Record<string, Verdict>
  startup?: Record<string, Verdict>
}

function plan(wanted: Pod, runtime: RuntimePod | undefined, { liveness = {}, startup = {} }: Verdicts = {}) {
  const made = planPod({ pod: wanted, runtime, liveness: (id) => liveness[id], startup: (id) => startup[id] })
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name)
  return {
    killPod: made.killPod,
    sandbox: made.sandbox?.attempt ?? null,
    kill: made.kill.map(({ container, message }) => `${container.id}: ${message}`),
    start: [...names(made.ephemeral), ...names(made.init), ...names(made.main)],
  }
}
const NOTHING = { killPod: false, sandbox: null, kill: [], start: [] }
const sidecar = { name: 'side', restartPolicy: 'Always' as const }

describe('a pod without init containers', () => {
  it('gets a sandbox and all its containers, and then is left alone', () => {
    const two = pod({ containers: [{ name: 'a' }, { name: 'b' }] })
    expect(plan(two, undefined)).toEqual({ ...NOTHING, sandbox: 0, start: ['a', 'b'] })
    expect(plan(two, runtimePod([running('a')]))).toEqual({ ...NOTHING, start: ['b'] })
    expect(plan(two, runtimePod([running('a'), running('b')]))).toEqual(NOTHING)
  })

  it.each([
    ['Always', 0, ['main']],
    ['Always', 1, ['main']],
    ['OnFailure', 1, ['main']],
    ['OnFailure', 0, []],
    ['Never', 1, []],
  ] as const)('with restartPolicy %s is after exit code %i started again: %j', (restartPolicy, code, start) => {
    const made = plan(pod({ restartPolicy }), runtimePod([exited('main', code)]))
    expect(made).toEqual({ ...NOTHING, start, killPod: start.length === 0 })
  })

  it('follows rules of the container about its exit codes before the policy of the pod', () => {
    const rules = { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] }
    const ruled = pod({ restartPolicy: 'Never', containers: [{ name: 'main', ...rules }] })
    expect(plan(ruled, runtimePod([exited('main', 42)])).start).toEqual(['main'])
    expect(plan(ruled, runtimePod([exited('main', 1)])).killPod).toBe(true)
  })

  it('starts again what was made but never ran', () => {
    expect(plan(pod({ restartPolicy: 'Never' }), runtimePod([running('main', { state: 'created' })])).start).toEqual(['main'])
  })

  it('ends and starts again what a probe has given up, unless it may not start again', () => {
    const runtime = runtimePod([running('main')])
    const message = 'main-0: Container main failed liveness probe'
    expect(plan(pod(), runtime, { liveness: { 'main-0': 'failure' } })).toEqual({
      ...NOTHING,
      kill: [`${message}, will be restarted`],
      start: ['main'],
    })
    expect(plan(pod({ restartPolicy: 'Never' }), runtime, { liveness: { 'main-0': 'failure' } })).toMatchObject({
      kill: [message],
      start: [],
    })
    expect(plan(pod(), runtime, { startup: { 'main-0': 'failure' } }).kill).toEqual([
      'main-0: Container main failed startup probe, will be restarted',
    ])
  })

  it('replaces a container whose image was changed, whatever the policy', () => {
    const changed = pod({ restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox:2' }] })
    expect(plan(changed, runtimePod([running('main')]))).toEqual({
      ...NOTHING,
      kill: ['main-0: Container main definition changed, will be restarted'],
      start: ['main'],
    })
  })

  it('starts each container for looking into it once', () => {
    const debugged = pod({ ephemeralContainers: [{ name: 'debug', resources: {} }] })
    expect(plan(debugged, runtimePod([running('main')])).start).toEqual(['debug'])
    expect(plan(debugged, runtimePod([running('main'), exited('debug', 1)])).start).toEqual([])
  })
})

describe('a pod that lost its sandbox', () => {
  const lost = (containers: Parameters<typeof runtimePod>[0]) => runtimePod(containers, [sandbox({ ready: false })])

  it('is ended and gets a new one', () => {
    expect(plan(pod(), lost([exited('main', 137)]))).toEqual({ ...NOTHING, killPod: true, sandbox: 1, start: ['main'] })
  })

  it('does not run again what has succeeded or may not run again', () => {
    const two = [{ name: 'a' }, { name: 'b' }]
    const done = lost([exited('a', 0), exited('b', 1)])
    expect(plan(pod({ restartPolicy: 'OnFailure', containers: two }), done).start).toEqual(['b'])
    expect(plan(pod({ restartPolicy: 'Never', containers: two }), done)).toEqual({ ...NOTHING, killPod: true })
    expect(plan(pod({ restartPolicy: 'OnFailure', containers: two }), lost([exited('a', 0), exited('b', 0)]))).toEqual({
      ...NOTHING,
      killPod: true,
    })
  })

  it('gets one where nothing ever ran in the old one', () => {
    expect(plan(pod({ restartPolicy: 'Never' }), lost([]))).toMatchObject({ sandbox: 1, start: ['main'] })
  })

  it('begins with its init containers again, although they had finished', () => {
    const init = pod({ initContainers: [{ name: 'one' }, { name: 'two' }] })
    const before = [exited('one', 0), exited('two', 0), exited('main', 137)]
    expect(plan(init, lost(before))).toMatchObject({ sandbox: 1, start: ['one'] })
    const now = runtimePod(
      [...before, exited('one', 0, { restarts: 1, sandboxId: 's1' })],
      [sandbox({ attempt: 1 }), sandbox({ ready: false })],
    )
    expect(plan(init, now).start).toEqual(['two'])
  })

  it('gets a new one too when it has no address, or two of them', () => {
    expect(plan(pod(), runtimePod([running('main')], [sandbox({ ips: [] })])).sandbox).toBe(1)
    expect(plan(pod(), runtimePod([], [sandbox({ attempt: 1 }), sandbox()])).sandbox).toBe(2)
    expect(plan(pod({ hostNetwork: true }), runtimePod([running('main')], [sandbox({ ips: [], hostNetwork: true })])).sandbox).toBeNull()
  })

  it('is not revived while it is deleted', () => {
    expect(plan(pod({}, { deletionTimestamp: '2026-01-01T00:00:30Z' }), lost([]))).toEqual({ ...NOTHING, killPod: true })
  })
})

describe('init containers', () => {
  const init = pod({ initContainers: [{ name: 'one' }, { name: 'two' }] })

  it('run one after the other', () => {
    expect(plan(init, runtimePod([])).start).toEqual(['one'])
    expect(plan(init, runtimePod([running('one')])).start).toEqual([])
    expect(plan(init, runtimePod([exited('one', 0)])).start).toEqual(['two'])
    expect(plan(init, runtimePod([exited('two', 0)])).start).toEqual(['main'])
  })

  it('are repeated after a failure, or end the pod', () => {
    expect(plan(init, runtimePod([exited('one', 1)])).start).toEqual(['one'])
    const never = pod({ ...init.spec, restartPolicy: 'Never' } as never)
    expect(plan(never, runtimePod([exited('one', 1)]))).toEqual({ ...NOTHING, killPod: true })
  })

  it('are not run again for a container that only restarts', () => {
    expect(plan(init, runtimePod([exited('main', 1)])).start).toEqual(['main'])
  })
})

describe('sidecars', () => {
  const served = pod({ initContainers: [{ name: 'one' }, sidecar, { name: 'two' }] })

  it('stay up beside what follows', () => {
    expect(plan(served, runtimePod([exited('one', 0)])).start).toEqual(['side'])
    expect(plan(served, runtimePod([exited('one', 0), running('side')])).start).toEqual(['two'])
    expect(plan(served, runtimePod([running('side'), running('two')])).start).toEqual([])
    expect(plan(served, runtimePod([running('side'), exited('two', 0)])).start).toEqual(['main'])
  })

  it('hold the rest up until their startup probe has succeeded', () => {
    const slow = pod({ initContainers: [{ ...sidecar, startupProbe: {} }, { name: 'two' }] })
    expect(plan(slow, runtimePod([running('side')])).start).toEqual([])
    expect(plan(slow, runtimePod([running('side')]), { startup: { 'side-0': 'success' } }).start).toEqual(['two'])
    expect(plan(slow, runtimePod([running('side')]), { startup: { 'side-0': 'failure' } })).toMatchObject({
      start: ['side'],
      kill: ['side-0: Init container side failed startup probe, will be restarted'],
    })
  })

  it('are restarted whenever they end, also after the pod has started', () => {
    expect(plan(served, runtimePod([exited('side', 0), exited('two', 0), running('main')])).start).toEqual(['side'])
    expect(plan(served, runtimePod([exited('side', 1), running('two')])).start).toEqual(['side'])
  })

  it('do not keep a pod alive whose containers are done', () => {
    const job = pod({ ...served.spec, restartPolicy: 'Never' } as never)
    expect(plan(job, runtimePod([running('side'), exited('two', 0), exited('main', 0)]))).toMatchObject({ killPod: true, start: [] })
  })
})
