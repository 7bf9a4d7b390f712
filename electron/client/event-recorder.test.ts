import { describe, expect, it } from 'vitest'
import { event as eventKind } from '../api/core/v1/event.ts'
import type { Event } from '../api/core/v1/types.gen.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { startTestServer, type TestServer } from '../apiserver/testing/harness.ts'
import { silentLogger } from '../base/logger.ts'
import { seededRandom } from '../base/random.ts'
import type { Client } from './client.ts'
import { createEventRecorder, type EventRecorder } from './event-recorder.ts'
import { faultyClient, type Faults } from './testing/faulty-client.ts'

const POD: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' },
}

function recorderOf(server: TestServer, faults: Faults = {}): EventRecorder {
  const client = faultyClient(server.client, faults, seededRandom(1))
  return createEventRecorder({ client, component: 'kubelet', host: 'moth', clock: server.clock, logger: silentLogger })
}
const events = async (server: TestServer) => (await server.client.list(eventKind, { namespace: 'default' })).items

describe('an event recorder', () => {
  it('writes an Event that says what happened to what, and counts repetitions on it', async () => {
    await using server = await startTestServer()
    await using recorder = recorderOf(server)
    recorder.event(POD, 'Warning', 'BackOff', 'restarting')
    recorder.event(POD, 'Warning', 'BackOff', 'restarting')
    await recorder.flush()
    expect(await events(server)).toMatchObject([
      {
        type: 'Warning',
        reason: 'BackOff',
        message: 'restarting',
        count: 2,
        source: { component: 'kubelet', host: 'moth' },
        reportingComponent: 'kubelet',
        involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'p', namespace: 'default', uid: 'u', resourceVersion: '7' },
      },
    ])
  })

  it('writes several Events of one moment', async () => {
    await using server = await startTestServer()
    await using recorder = recorderOf(server)
    for (const pod of ['a', 'b', 'c']) recorder.event(POD, 'Normal', 'SuccessfulCreate', `Created pod: ${pod}`)
    await recorder.flush()
    const messages = (await events(server)).map(({ message }) => message)
    expect(new Set(messages)).toEqual(new Set(['Created pod: a', 'Created pod: b', 'Created pod: c']))
    expect(messages).toHaveLength(3)
  })

  it('loses none that several recorders write of one object in one moment', async () => {
    await using server = await startTestServer()
    const recorders = [recorderOf(server), recorderOf(server), recorderOf(server)]
    for (const [i, recorder] of recorders.entries()) recorder.event(POD, 'Normal', 'Told', `by ${i}`)
    for (const recorder of recorders) await recorder.flush()
    expect((await events(server)).map(({ message }) => message)).toHaveLength(3)
    for (const recorder of recorders) await recorder[Symbol.asyncDispose]()
  })

  it('begins a new Event when the old one is gone', async () => {
    await using server = await startTestServer()
    await using recorder = recorderOf(server)
    recorder.event(POD, 'Normal', 'Pulled', 'x')
    await recorder.flush()
    for (const { metadata } of await events(server)) await server.client.delete(eventKind, metadata)
    recorder.event(POD, 'Normal', 'Pulled', 'x')
    await recorder.flush()
    expect(await events(server)).toMatchObject([{ count: 2 }])
  })

  it('waits for a server that is away, and does not throw when it stays away', async () => {
    await using server = await startTestServer()
    const faults: Faults = { partitioned: true }
    await using recorder = recorderOf(server, faults)
    recorder.event(POD, 'Normal', 'Pulled', 'x')
    await server.clock.advance(15_000)
    faults.partitioned = false
    await server.clock.advance(10_000)
    await recorder.flush()
    expect(await events(server)).toHaveLength(1)
    faults.partitioned = true
    recorder.event(POD, 'Normal', 'Other', 'x')
    await server.clock.advance(200_000)
    await recorder.flush()
    expect(server.clock.pending).toBeLessThan(5)
  })

  it('loses none of a burst of many objects, writes of several at once, and of each in order', async () => {
    await using server = await startTestServer()
    const underWay = new Map<string, number>()
    const seen = { most: 0, mixed: false, order: new Map<string, string[]>() }
    const { client: real } = server
    const client: Client = {
      ...real,
      create: async (kind, object, options) => {
        const { involvedObject, reason } = object as unknown as Event
        const name = String(involvedObject.name)
        underWay.set(name, (underWay.get(name) ?? 0) + 1)
        seen.mixed ||= underWay.get(name) !== 1
        seen.most = Math.max(seen.most, underWay.size)
        seen.order.set(name, [...(seen.order.get(name) ?? []), String(reason)])
        try {
          return await real.create(kind, object, options)
        } finally {
          underWay.delete(name)
        }
      },
    }
    await using recorder = createEventRecorder({ client, component: 'default-scheduler', clock: server.clock, logger: silentLogger })
    const names = Array.from({ length: 1500 }, (_, i) => `p${i}`)
    for (const reason of ['FailedScheduling', 'Scheduled'])
      for (const name of names) recorder.event({ ...POD, metadata: { ...POD.metadata, name, uid: name } }, 'Normal', reason, 'x')
    await recorder.flush()
    expect(await events(server)).toHaveLength(3000)
    expect([seen.mixed, seen.most]).toEqual([false, 16])
    expect(names.every((name) => seen.order.get(name)?.join() === 'FailedScheduling,Scheduled')).toBe(true)
  })

  it('cuts what is too long', async () => {
    await using server = await startTestServer()
    await using recorder = recorderOf(server)
    recorder.event(POD, 'Normal', 'Long', 'x'.repeat(5000))
    await recorder.flush()
    expect((await events(server))[0]?.message).toHaveLength(1024)
  })
})
