import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { ACTION, EVENTS } from '../framework/events.ts'
import type { Plugin, PreEnqueuePlugin } from '../framework/plugin.ts'
import { unresolvable } from '../framework/status.ts'
import { nodeOf, podOf } from '../testing/objects.ts'
import { Hints } from './hints.ts'
import { Nominator } from './nominator.ts'
import type { QueuedPod } from './queued-pod.ts'
import { SchedulingQueue } from './scheduling-queue.ts'

const NONE: ReadonlySet<string> = new Set()
const FIT = new Set(['Fit'])
const nodeAdd = (name: string) => ({ event: EVENTS.nodeAdd, now: nodeOf(name) })
/** Its hint likes nodes called "good…". */
const fit: Plugin = {
  name: 'Fit',
  events: [
    {
      event: { resource: 'Node', action: ACTION.add },
      hint: (_pod, _old, now) => (now?.metadata.name.startsWith('good') ? 'Queue' : 'Skip'),
    },
    { event: { resource: 'TargetPod', action: ACTION.updatePodLabel } },
  ],
}
const gate: Plugin & Pick<PreEnqueuePlugin, 'preEnqueue'> = {
  name: 'Gate',
  events: [{ event: { resource: 'TargetPod', action: ACTION.updatePodGatesEliminated } }],
  preEnqueue: ({ pod }) => (pod.spec.schedulingGates?.length ? unresolvable('Gate', ['gated']) : null),
}

let clock: FakeClock
let queue: SchedulingQueue
let gated: string[]

beforeEach(() => {
  clock = new FakeClock()
  gated = []
  queue = new SchedulingQueue({
    clock,
    nominator: new Nominator(),
    hints: new Hints([{ schedulerName: 'default-scheduler', plugins: [fit, gate] }], silentLogger),
    less: (a, b) => (a.info.priority !== b.info.priority ? a.info.priority > b.info.priority : a.timestamp < b.timestamp),
    preEnqueue: (pod) => gate.preEnqueue(pod),
    onGated: ({ info }) => gated.push(info.key),
  })
})
afterEach(() => queue[Symbol.dispose]())

const place = (pod: Pod) => queue.find(pod.metadata.uid)?.place
const popped = (): QueuedPod => {
  const pod = queue.pop()
  if (!pod) throw new Error('there is nothing to pop')
  return pod
}
const refuse = (pod: Pod, rejectors = FIT) => queue.fail(popped(), pod, rejectors, NONE)

describe('SchedulingQueue', () => {
  it('gives the more important pod first, and of two alike the one that waits longer', async () => {
    queue.add(podOf('late-low'))
    await clock.advance(10)
    queue.add(podOf('high', { spec: { priority: 5 } }))
    queue.add(podOf('later-low'))
    expect([popped(), popped(), popped()].map(({ info }) => info.pod.metadata.name)).toEqual(['high', 'late-low', 'later-low'])
    expect(queue.pop()).toBeUndefined()
  })

  it('leaves a refused pod until something happens that its rejector wants to hear of', () => {
    const pod = podOf('web')
    queue.add(pod)
    refuse(pod)
    expect(place(pod)).toBe('unschedulable')
    queue.move({ event: EVENTS.nodeDelete, old: nodeOf('good') })
    queue.move(nodeAdd('bad'))
    expect(place(pod)).toBe('unschedulable')
    queue.move(nodeAdd('good'))
    expect(place(pod)).toBe('backoff')
  })

  it('takes into account what happened while the pod was being tried', () => {
    const pod = podOf('web')
    queue.add(pod)
    const attempt = popped()
    queue.move(nodeAdd('good'))
    queue.fail(attempt, pod, FIT, NONE)
    expect(place(pod)).toBe('backoff')
  })

  it('doubles the back-off with each refusal, from one second up to ten', async () => {
    const pod = podOf('web')
    queue.add(pod)
    for (const seconds of [1, 2, 4, 8, 10, 10]) {
      refuse(pod)
      queue.move(nodeAdd('good'))
      // Nothing may be tried early here.
      const ready = queue.ready().then(() => clock.monotonic())
      const before = clock.monotonic()
      await clock.advance(seconds * 1000 - 1)
      expect(place(pod)).toBe('backoff')
      await clock.advance(1)
      expect(place(pod)).toBe('active')
      expect((await ready) - before).toBeLessThanOrEqual(seconds * 1000)
    }
  })

  it('lets pods that were promised a node try before their time as often as they can, and others a hundred times a second', () => {
    const pods = Array.from({ length: 150 }, (_, i) => podOf(`web-${i}`))
    const early = (node: string) => {
      for (const pod of pods) queue.add(pod)
      for (let i = 0; i < pods.length; i++) {
        const pod = popped()
        queue.fail(pod, pod.info.pod, FIT, NONE)
        queue.nominator.set(pod.info, node)
      }
      queue.move(nodeAdd('good'))
      let count = 0
      for (let pod = queue.pop(); pod; pod = queue.pop()) {
        count++
        queue.done(pod.uid)
      }
      for (const { metadata } of pods) queue.delete(metadata.uid)
      return count
    }
    expect(early('a')).toBe(150)
    expect(early('')).toBe(100)
  })

  it('does not move a gated pod for what does not open its gate', () => {
    const pod = podOf('web', { spec: { schedulingGates: [{ name: 'x' }] } })
    queue.add(pod)
    const before = queue.find(pod.metadata.uid)?.pod.rejectors
    queue.move({ event: { resource: 'TargetPod', action: ACTION.updatePodGatesEliminated }, old: pod, now: pod })
    expect([place(pod), queue.find(pod.metadata.uid)?.pod.rejectors === before]).toEqual(['unschedulable', true])
  })

  it('tries a refused pod before its time while nothing else is to do, but not one that met a fault', () => {
    const [refused, faulty] = [podOf('refused'), podOf('faulty')]
    queue.add(refused)
    refuse(refused)
    queue.move(nodeAdd('good'))
    expect(popped().info.uid).toBe(refused.metadata.uid)
    queue.add(faulty)
    queue.fail(popped(), faulty, NONE, NONE)
    expect(place(faulty)).toBe('backoff')
    expect(queue.pop()).toBeUndefined()
  })

  it('tries a pod at once that a plugin had it wait for what happened', () => {
    const pod = podOf('web')
    queue.add(pod)
    queue.fail(popped(), pod, NONE, FIT)
    queue.move(nodeAdd('good'))
    expect(place(pod)).toBe('active')
  })

  it('holds a gated pod back until its gates are gone, and says so once', () => {
    const pod = podOf('web', { spec: { schedulingGates: [{ name: 'a' }] } })
    queue.add(pod)
    expect(place(pod)).toBe('unschedulable')
    queue.move(nodeAdd('good'))
    const relabelled = { ...pod, metadata: { ...pod.metadata, labels: { x: 'y' } } }
    queue.update(relabelled, pod)
    expect([place(pod), gated]).toEqual(['unschedulable', ['test/web']])
    queue.update(podOf('web'), relabelled)
    expect(place(pod)).toBe('active')
  })

  it('hands out the newest state of a pod', () => {
    const pod = podOf('web')
    queue.add(pod)
    queue.update(podOf('web', { spec: { priority: 7 } }), pod)
    expect(popped().info.priority).toBe(7)
  })

  it('forgets a pod wherever it is', () => {
    const [active, refused] = [podOf('active'), podOf('refused')]
    queue.add(refused)
    refuse(refused)
    queue.add(active)
    for (const { metadata } of [active, refused]) queue.delete(metadata.uid)
    expect([queue.size, queue.pop()]).toEqual([0, undefined])
  })

  it('tries every pod again after five minutes, whatever it waits for', async () => {
    const pod = podOf('web')
    queue.add(pod)
    refuse(pod, new Set(['Deaf']))
    await clock.advance(300_000)
    expect(place(pod)).toBe('unschedulable')
    await clock.advance(60_000)
    expect(place(pod)).toBe('active')
  })

  it('activates a pod without taking back what it was promised', () => {
    const pod = podOf('web')
    queue.add(pod)
    refuse(pod)
    const queued = queue.find(pod.metadata.uid)?.pod
    if (!queued) throw new Error('the pod is lost')
    queue.nominator.set(queued.info, 'a')
    queue.activate(pod.metadata.uid)
    expect(place(pod)).toBe('active')
    expect(queue.nominator.nodeOf(pod.metadata.uid)).toBe('a')
  })

  it('wakes who waits when a pod comes, and when it is closed', async () => {
    let woken = 0
    const wait = () => queue.ready().then(() => woken++)
    const first = wait()
    queue.add(podOf('web'))
    await first
    popped()
    const second = wait()
    queue[Symbol.dispose]()
    await second
    expect(woken).toBe(2)
  })
})

describe('Hints', () => {
  it('takes a failing hint for a yes, so that no pod is left behind', () => {
    const broken: Plugin = {
      name: 'Fit',
      events: [
        {
          event: { resource: 'Node', action: ACTION.add },
          hint() {
            throw new Error('broken')
          },
        },
      ],
    }
    const pod = podOf('web')
    queue.add(pod)
    refuse(pod)
    const queued = queue.find(pod.metadata.uid)?.pod
    const hints = new Hints([{ schedulerName: 'default-scheduler', plugins: [broken] }], silentLogger)
    expect(queued && hints.strategy(queued, nodeAdd('any'))).toBe('after back-off')
  })
})
