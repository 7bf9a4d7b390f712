import { describe, expect, it } from 'vitest'
import { configMap } from '../api/core/v1/config-map.ts'
import { namespace } from '../api/core/v1/namespace.ts'
import { startTestServer } from '../apiserver/testing/harness.ts'
import { settle } from '../base/fake-clock.ts'
import { silentLogger } from '../base/logger.ts'
import { randomInt, seededRandom } from '../base/random.ts'
import { hasReason } from '../machinery/status.ts'
import { createInformers } from './informers.ts'
import { faultyClient, type Faults } from './testing/faulty-client.ts'

describe('informers over the real API server', () => {
  it.each([1, 2, 3])('end with what it has, through faults and partitions (seed %i)', async (seed) => {
    await using server = await startTestServer()
    const random = seededRandom(seed)
    const faults: Faults = { unavailable: 0.2, brokenWatches: 0.1 }
    const { clock, client } = server
    await client.create(namespace, { metadata: { name: 'ns' } }).catch(() => undefined)
    await using informers = createInformers(faultyClient(client, faults, random), { clock, logger: silentLogger, random })
    const informer = informers.for(configMap, { namespace: 'ns' })
    informer.addIndex('value', (object) => [object.data?.['v'] ?? ''])
    const told = new Map<string, string>()
    informer.on({
      add: ({ metadata, data }) => {
        expect(told.has(metadata.name)).toBe(false)
        told.set(metadata.name, String(data?.['v']))
      },
      update: ({ metadata, data }) => void told.set(metadata.name, String(data?.['v'])),
      delete: ({ metadata }) => expect(told.delete(metadata.name)).toBe(true),
    })
    const started = informers.start()
    for (let i = 0; i < 150; i++) {
      const at = { namespace: 'ns', name: `c${randomInt(random, 8)}` }
      const body = { metadata: at, data: { v: String(i) } }
      if (random.float() < 0.3) await client.delete(configMap, at).catch(ignoreMissing)
      else await client.patch(configMap, at, { type: 'merge', body }).catch(() => client.create(configMap, body))
      if (random.float() < 0.05) faults.partitioned = !faults.partitioned
      if (random.float() < 0.3) await clock.advance(randomInt(random, 4000))
    }
    faults.partitioned = false
    faults.unavailable = 0
    faults.brokenWatches = 0
    await clock.advance(120_000)
    await started
    await settle()
    const truth = (await client.list(configMap, { namespace: 'ns' })).items
      .map((o) => `${o.metadata.name}=${o.data?.['v']}@${o.metadata.resourceVersion}`)
      .sort()
    expect(
      informer
        .list()
        .map((o) => `${o.metadata.name}=${o.data?.['v']}@${o.metadata.resourceVersion}`)
        .sort(),
    ).toEqual(truth)
    expect([...told].map(([name, v]) => `${name}=${v}`).sort()).toEqual(truth.map((one) => one.split('@')[0]))
    for (const object of informer.list()) expect(informer.byIndex('value', String(object.data?.['v']))).toContain(object)
    expect(informer.staleSince).toBeNull()
  })

  it('share the frozen objects of the cache', async () => {
    await using server = await startTestServer()
    const { clock, client } = server
    await using informers = createInformers(client, { clock, logger: silentLogger })
    const informer = informers.for(configMap)
    await informers.start()
    await client.create(namespace, { metadata: { name: 'ns' } }).catch(() => undefined)
    const made = await client.create(configMap, { metadata: { name: 'a', namespace: 'ns' }, data: { v: '1' } })
    await settle()
    expect(informer.get('ns', 'a')).toEqual(made)
    expect(Object.isFrozen(informer.get('ns', 'a')?.data)).toBe(true)
  })
})

function ignoreMissing(error: unknown): void {
  if (!hasReason(error, 'NotFound')) throw error
}
