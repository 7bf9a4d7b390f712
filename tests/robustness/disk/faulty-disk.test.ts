import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../../../electron/base/random.ts'
import { bundledHost, Place } from '../lab.ts'
import { HostedServer } from '../run/hosted-server.ts'
import type { FaultyDisk } from './faulty-disk.ts'
import { whyNoFaultyDisk } from './library.ts'

const lacks = whyNoFaultyDisk()

describe.skipIf(lacks !== null)(`an embedded store on a faulty disk${lacks ? ` (${lacks})` : ''}`, () => {
  let host: Awaited<ReturnType<typeof bundledHost>>
  beforeAll(async () => {
    host = await bundledHost()
  })
  afterAll(() => host[Symbol.dispose]())

  /** Runs `work` with a started store and its disk. */
  async function onDisk(
    random: Random,
    work: (server: HostedServer, disk: FaultyDisk) => Promise<void>,
    engine = 'embedded',
  ): Promise<void> {
    using place = new Place()
    await using server = new HostedServer({ script: host.script, engine, place: place.dir, random, faultyDisk: true })
    if (!server.disk) throw new Error('there is a faulty disk')
    await server.start()
    await work(server, server.disk)
  }
  const write = async ({ client }: HostedServer, value: string) =>
    (await client.txn({ success: [{ type: 'put', key: 'a', value: Buffer.from(value) }] })).revision
  const revision = async ({ client }: HostedServer) => (await client.status()).revision

  it('flushes before each acknowledgement', async () => {
    await onDisk(seededRandom(1), async (server, disk) => {
      for (let i = 0; i < 20; i++) {
        const before = disk.count('syncs')
        await write(server, String(i))
        expect(disk.count('syncs')).toBeGreaterThan(before)
      }
    })
  })

  it('has everything it acknowledged after a loss of power', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      await onDisk(seededRandom(seed), async (server) => {
        for (let i = 0; i < 10; i++) await write(server, String(i))
        void write(server, 'cut off').catch(() => undefined)
        await server.losePower()
        await server.start()
        expect([11, 12]).toContain(await revision(server))
      })
    }
  })

  it('does not build on what a failed flush may have lost', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      await onDisk(seededRandom(seed), async (server, disk) => {
        await write(server, 'safe')
        disk.set('failSyncs', 1)
        await expect(write(server, 'perhaps')).rejects.toMatchObject({ code: 'unavailable' })
        await server.kill()
        disk.heal()
        await server.start()
        const found = await revision(server)
        expect([2, 3]).toContain(found)
        expect(await write(server, 'safe too')).toBe(found + 1)
        await server.losePower()
        await server.start()
        expect(await revision(server)).toBe(found + 1)
      })
    }
  })

  it.each(['failSyncs', 'failWrites'] as const)('loses nothing when the disk fails while it is opened (%s)', async (fault) => {
    await onDisk(seededRandom(1), async (server, disk) => {
      for (let i = 0; i < 10; i++) await write(server, String(i))
      await server.kill()
      disk.set(fault, 1000)
      await expect(server.start()).rejects.toThrow('cannot be opened')
      await server.losePower()
      disk.heal()
      await server.start()
      expect(await revision(server)).toBe(11)
    })
  })

  it('opens when there is no room, and loses nothing', async () => {
    await onDisk(seededRandom(1), async (server, disk) => {
      for (let i = 0; i < 10; i++) await write(server, 'x'.repeat(10_000))
      await server.kill()
      disk.set('full', 1)
      await server.start()
      expect(await revision(server)).toBe(11)
      await server.losePower()
      disk.heal()
      await server.start()
      expect(await write(server, 'again')).toBe(12)
    })
  })

  it('takes writes in parts, and says when there is no room', async () => {
    await onDisk(seededRandom(1), async (server, disk) => {
      disk.set('shortOf256', 256)
      for (let i = 0; i < 10; i++) await write(server, 'x'.repeat(i * 1000))
      expect(disk.count('faults')).toBeGreaterThan(10)
      disk.heal()
      disk.set('full', 1)
      await expect(write(server, 'x'.repeat(100_000))).rejects.toMatchObject({ code: 'noSpace' })
      disk.heal()
      await expect.poll(async () => (await server.client.status()).alarms).toEqual([])
      expect(await write(server, 'again')).toBe(12)
      await server.losePower()
      await server.start()
      expect(await revision(server)).toBe(12)
    })
  })
})
