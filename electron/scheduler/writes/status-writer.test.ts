import { beforeEach, describe, expect, it } from 'vitest'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { deferred } from '../../base/async.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import type { Client, Patch } from '../../client/client.ts'
import { failure } from '../../machinery/status.ts'
import { podOf } from '../testing/objects.ts'
import { statusPatch } from './pod-status.ts'
import { StatusWriter } from './status-writer.ts'

let clock = new FakeClock()
const refused = (message: string) => ({ condition: { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const })
const messageIn = (patch: Patch) =>
  (patch.body as { status: { conditions?: { message: string }[]; nominatedNodeName?: string | null } }).status

let bodies: ReturnType<typeof messageIn>[]
let answers: (() => Promise<void>)[]
let warnings: string[]
let writer: StatusWriter
const pod = podOf('web')

beforeEach(() => {
  clock = new FakeClock()
  bodies = []
  answers = []
  warnings = []
  const client = {
    async patch(_kind: unknown, _at: unknown, patch: Patch) {
      bodies.push(messageIn(patch))
      await answers.shift()?.()
      return { ...pod, status: { ...pod.status, ...messageIn(patch) } } as Pod
    },
  } as unknown as Client
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) }
  writer = new StatusWriter({ client, clock, logger, signal: new AbortController().signal })
})

describe('StatusWriter', () => {
  it('writes of changes that wait only the sum, after the one under way', async () => {
    const gate = deferred<void>()
    answers.push(() => gate.promise)
    writer.write(pod, refused('one'))
    writer.write(pod, { ...refused('two'), nominatedNodeName: 'a' })
    writer.write(pod, refused('three'))
    expect(bodies).toHaveLength(1)
    gate.resolve()
    await writer.ended()
    expect(bodies.map(({ conditions, nominatedNodeName }) => [conditions?.[0]?.message, nominatedNodeName])).toEqual([
      ['one', undefined],
      ['three', 'a'],
    ])
  })

  it('goes by what it has written itself, not by what informers still show', async () => {
    const gate = deferred<void>()
    answers.push(() => gate.promise)
    writer.write(pod, { nominatedNodeName: 'a' })
    // The informer’s pod names no node yet.
    writer.write(pod, { nominatedNodeName: '' })
    gate.resolve()
    await writer.ended()
    expect(bodies.map(({ nominatedNodeName }) => nominatedNodeName)).toEqual(['a', null])
  })

  it('tries again what a server that is away did not take', async () => {
    for (let i = 0; i < 2; i++) answers.push(() => Promise.reject(failure(503, 'ServiceUnavailable', 'away')))
    writer.write(pod, refused('one'))
    await clock.advance(1000)
    writer.write(pod, { nominatedNodeName: 'a' })
    expect(bodies).toHaveLength(2)
    await clock.advance(2000)
    await writer.ended()
    expect(bodies.at(-1)).toMatchObject({ conditions: [{ message: 'one' }], nominatedNodeName: 'a' })
    expect([bodies.length, warnings]).toEqual([3, []])
  })

  it('drops what waits when something newer is about to be said', async () => {
    answers.push(() => Promise.reject(failure(503, 'ServiceUnavailable', 'away')))
    writer.write(pod, refused('one'))
    await clock.advance(0)
    await writer.stop(pod.metadata.uid)
    await clock.advance(60_000)
    expect([bodies.length, clock.pending]).toEqual([1, 0])
  })

  it('warns of what is refused, but not of a pod that is gone', async () => {
    answers.push(() => Promise.reject(failure(404, 'NotFound', 'gone')))
    writer.write(pod, refused('one'))
    await writer.ended()
    expect(warnings).toEqual([])
    answers.push(() => Promise.reject(failure(422, 'Invalid', 'broken')))
    writer.write(pod, refused('one'))
    await writer.ended()
    expect(warnings).toEqual(["a pod's status was not written"])
  })
})

describe('statusPatch', () => {
  it('is nothing where the pod is so already, and keeps the time of the last transition', () => {
    const patch = statusPatch(pod, refused('no'), clock) as { metadata: object; status: Pod['status'] }
    expect(patch.metadata).toEqual({ uid: pod.metadata.uid })
    const before = { ...pod, status: { ...pod.status, ...patch.status } }
    expect(statusPatch(before, { ...refused('no'), nominatedNodeName: '' }, clock)).toBeNull()
    const later = new FakeClock(clock.now() + 60_000)
    expect(statusPatch(before, refused('other'), later)).toMatchObject({
      status: { conditions: [{ message: 'other', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
    })
  })
})
