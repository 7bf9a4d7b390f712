import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { startTestServer } from '../../apiserver/testing/harness.ts'
import { FlotillaError } from '../../base/errors.ts'
import { settle } from '../../base/fake-clock.ts'
import { drainNode } from './drain.ts'
import { rollAgents, type RollingEvent, type RollingOptions } from './rolling.ts'

describe('agents, one machine after the other', () => {
  const roll = async (options: Partial<RollingOptions> & Pick<RollingOptions, 'target'>) => {
    const events: RollingEvent[] = []
    await rollAgents({
      ...{ names: ['a', 'b', 'c'], rollBack: false, drain: false, program: { file: '/none', sha256: 'new' } },
      drainDeps: {} as RollingOptions['drainDeps'],
      onReplaced: () => Promise.resolve(),
      emit: (event) => events.push(event),
      signal: new AbortController().signal,
      ...options,
    })
    return events
  }

  it('stop at the first that fails, and leave the rest as they are', async () => {
    const asked: string[] = []
    const events = await roll({
      target(name) {
        asked.push(name)
        throw new FlotillaError('SSH_CONNECTION_LOST', { what: `${name} cannot be reached now.`, why: 'It is off.', next: 'Turn it on.' })
      },
    })
    expect(asked).toEqual(['a'])
    expect(events).toEqual([
      {
        type: 'failed',
        machine: 'a',
        code: 'SSH_CONNECTION_LOST',
        what: 'a cannot be reached now.',
        why: 'It is off.',
        next: 'Turn it on.',
      },
    ])
  })

  it('end with the signal, and not as a failure of a machine', async () => {
    const stop = new AbortController()
    const rolling = roll({
      signal: stop.signal,
      target: () => ({
        clock: null as never,
        tls: () => Promise.resolve({ ca: '', cert: '', key: '' }),
        dial: () => {
          stop.abort(new Error('enough'))
          return Promise.resolve(new PassThrough())
        },
        heartbeat: () => null,
      }),
    })
    await expect(rolling).rejects.toThrow('enough')
  })
})

describe('a node that is drained', () => {
  const pod = (name: string, more: object = {}) => ({
    metadata: { name, namespace: 'default', ...more },
    spec: { nodeName: 'moth', terminationGracePeriodSeconds: 0, containers: [{ name: 'app', image: 'app:1' }] },
  })

  it('is closed, loses what can move, keeps what belongs to it, and is opened again', async () => {
    await using server = await startTestServer({ admission: { disabled: ['ServiceAccount'] } })
    const { client, clock } = server
    await client.create(nodeKind, { metadata: { name: 'moth' } })
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'logs', uid: 'u', controller: true }
    await client.create(podKind, pod('web'))
    await client.create(podKind, pod('logs', { ownerReferences: [owner] }))
    const details: string[] = []
    const draining = drainNode('moth', { client, clock, signal: new AbortController().signal, detail: (text) => details.push(text) })
    await settle()
    expect((await client.get(nodeKind, { name: 'moth' })).spec.unschedulable).toBe(true)
    await expect
      .poll(async () => {
        await clock.advance(2000)
        return (await client.list(podKind, { namespace: 'default' })).items.map(({ metadata }) => metadata.name)
      })
      .toEqual(['logs'])
    await clock.advance(2000)
    await (await draining)[Symbol.asyncDispose]()
    expect(details[0]).toBe('a pod has to move')
    expect((await client.get(nodeKind, { name: 'moth' })).spec.unschedulable).toBeUndefined()
  })
})
