import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FlotillaError } from '../../base/errors.ts'
import { seededRandom } from '../../base/random.ts'
import { type Meta, metaPage, readMeta } from './bolt.ts'
import { hashImage } from './hash.ts'
import type { ImageEntry, StoreImage } from './image.ts'
import { listedImage, type Step } from './listed-image.ts'
import { readSnapshot } from './read-snapshot.ts'
import { writeSnapshot } from './write-snapshot.ts'

const PAGE = 4096

async function written(image: StoreImage): Promise<Buffer> {
  await using snapshot = await writeSnapshot(image)
  const chunks = await Array.fromAsync(snapshot)
  const all = Buffer.concat(chunks)
  expect(all.length).toBe(snapshot.size)
  return all
}

async function listed(image: StoreImage): Promise<ImageEntry[]> {
  return (await Array.fromAsync(image.entries())).flat().map((entry) => ({ ...entry, value: Buffer.from(entry.value) }))
}

/** The database with a checksum that fits. */
function sealed(database: Buffer): Buffer {
  return Buffer.concat([database, createHash('sha256').update(database).digest()])
}

describe('readSnapshot', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'snapshot-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  const fileOf = (bytes: Uint8Array) => {
    const path = join(dir, 'file')
    writeFileSync(path, bytes)
    return path
  }
  const refusal = async (bytes: Uint8Array, options = {}): Promise<FlotillaError> => {
    const error: unknown = await readSnapshot(fileOf(bytes), options).then(
      (file) => file[Symbol.asyncDispose](),
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof FlotillaError)) throw new Error(`expected a FlotillaError, got ${String(error)}`)
    expect(error.code).toBe('STATE_UNREADABLE')
    return error
  }
  const some = () => {
    const steps: Step[] = Array.from({ length: 400 }, (_, i) => ({ key: `k${i % 50}`, value: 'x'.repeat((i * 37) % 600) }))
    return listedImage(steps, { leases: [{ id: 7n, ttl: 60 }] })
  }

  it('gives back every image that was written', async () => {
    const step = fc.record<Step>({
      key: fc.constantFrom('a', 'b', '\xff', 'c'.repeat(300)),
      value: fc.oneof(
        fc.constant(undefined),
        fc.string({ maxLength: 50 }),
        fc.nat(20_000).map((length) => new Uint8Array(length).fill(1)),
      ) as never,
      lease: fc.constantFrom(0n, 7n, -1n),
    })
    const leases = fc.uniqueArray(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((id) => id !== 0n),
      { maxLength: 300 },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), leases, fc.nat(60), async (steps, ids, compactAt) => {
        const compactRevision = Math.min(compactAt, steps.length + 1)
        const image = listedImage(steps, { compactRevision, leases: ids.map((id, i) => ({ id, ttl: 1 + i })) })
        await using file = await readSnapshot(fileOf(await written(image)))
        expect({ revision: file.revision, compactRevision: file.compactRevision }).toEqual({ revision: image.revision, compactRevision })
        expect(new Set(file.leases.map(({ id, ttl }) => `${id} ${ttl}`))).toEqual(
          new Set(image.leases.map(({ id, ttl }) => `${id} ${ttl}`)),
        )
        expect(await listed(file)).toEqual(await listed(image))
        expect(await hashImage(file, file.revision)).toBe(await hashImage(image, image.revision))
      }),
      { seed: 1, numRuns: 60 },
    )
  })

  it('reads trees of several levels', async () => {
    const steps = Array.from({ length: 40_000 }, (_, i) => ({ key: `k${i % 20_000}`, value: `${i} ${'x'.repeat(150)}` }))
    const image = listedImage(steps)
    await using file = await readSnapshot(fileOf(await written(image)))
    expect([file.keys, file.totalKeys, file.revision]).toEqual([20_000, 40_002, 40_001])
    let next = 0
    for await (const batch of file.entries()) for (const { value } of batch) expect(value.toString()).toBe(steps[next++]?.value)
    expect(next).toBe(40_000)
  })

  it('refuses a file that is cut short, wherever, or that something was added to', async () => {
    const whole = await written(some())
    for (const length of [0, 1, 100, PAGE, 3 * PAGE, whole.length - PAGE, whole.length - 33, whole.length - 32, whole.length - 1]) {
      await refusal(whole.subarray(0, length))
    }
    expect((await refusal(whole.subarray(0, whole.length - PAGE))).why).toContain('cut short')
    expect((await refusal(Buffer.concat([whole, Buffer.from('x')]))).why).toContain('length')
    expect((await refusal(Buffer.concat([whole, Buffer.alloc(512)]))).why).toContain('SHA-256')
  })

  it('refuses what is no snapshot, and says so', async () => {
    expect((await refusal(Buffer.from('kind: List\n'.repeat(1000)))).why).toContain('no snapshot')
    expect((await refusal(Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8192)]))).why).toContain('no snapshot')
    await expect(readSnapshot(join(dir, 'nowhere'))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      why: expect.stringContaining('ENOENT') as string,
    })
    await expect(readSnapshot(dir)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('refuses any flipped bit by its SHA-256 or before', async () => {
    const whole = await written(some())
    const random = seededRandom(3)
    for (let i = 0; i < 200; i++) {
      const damaged = Buffer.from(whole)
      const at = Math.floor(random.float() * damaged.length)
      damaged[at] = (damaged[at] as number) ^ (1 << Math.floor(random.float() * 8))
      await refusal(damaged)
    }
  })

  it('never fails but by name, and always ends, where the damage has a checksum that fits', async () => {
    const database = (await written(some())).subarray(0, -32)
    const random = seededRandom(4)
    const pick = (n: number) => Math.floor(random.float() * n)
    let refused = 0
    for (let i = 0; i < 500; i++) {
      const damaged = Buffer.from(database)
      const page = pick(database.length / PAGE) * PAGE
      // Headers, elements and keys are where it hurts.
      for (let n = 1 + pick(3); n > 0; n--) damaged[page + pick(pick(4) === 0 ? PAGE : 200)] = pick(2) === 0 ? pick(256) : 0xff
      const meta = readMeta(damaged)
      if (meta === null && page < 2 * PAGE)
        metaPage(page / PAGE, { ...(readMeta(database) as Meta), root: pick(40), pages: pick(60) }).copy(damaged, page)
      const outcome = await readSnapshot(fileOf(sealed(damaged))).then(
        async (file) => {
          await listed(file)
          await file[Symbol.asyncDispose]()
          return null
        },
        (error: unknown) => error,
      )
      if (outcome === null) continue
      expect(outcome).toMatchObject({ code: 'STATE_UNREADABLE' })
      refused++
    }
    expect(refused).toBeGreaterThan(150)
  })

  it('refuses pages that refer to each other in a circle', async () => {
    const steps = Array.from({ length: 3000 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(100) }))
    const database = (await written(listedImage(steps))).subarray(0, -32)
    const branches = Array.from({ length: database.length / PAGE }, (_, i) => i).filter((i) => database.readUInt16LE(i * PAGE + 8) === 1)
    expect(branches.length).toBeGreaterThan(0)
    const branch = branches.at(-1) as number
    database.writeBigUInt64LE(BigInt(branch), branch * PAGE + 16 + 3 * 16 + 8)
    expect((await refusal(sealed(database))).why).toContain('in two places')
  })

  it('reads the second meta when the first was being written', async () => {
    const whole = await written(some())
    const database = whole.subarray(0, -32)
    database.fill(0, 0, PAGE)
    await using file = await readSnapshot(fileOf(sealed(database)))
    expect(file.revision).toBe(401)
    database.fill(0x77, PAGE + 20, PAGE + 40)
    expect((await refusal(sealed(database))).why).toContain('neither')
  })

  it('takes a database without a checksum only when told to', async () => {
    const database = (await written(some())).subarray(0, -32)
    expect((await refusal(database)).next).toContain('--skip-hash-check')
    await using file = await readSnapshot(fileOf(database), { skipHashCheck: true })
    expect(file.revision).toBe(401)
  })

  it('leaves out what a compaction that was begun would have forgotten', async () => {
    const steps = [{ key: 'a', value: '1' }, { key: 'b', value: '1' }, { key: 'a', value: '2' }, { key: 'b' }, { key: 'a', value: '3' }]
    const image = listedImage(steps)
    await using file = await readSnapshot(fileOf(await written({ ...image, compactRevision: 4 })))
    expect((await listed(file)).map(({ key, revision }) => `${key}${revision}`)).toEqual(['b3', 'a4', 'b5', 'a6'])
    expect([file.compactRevision, file.compactKeys, file.keys]).toEqual([4, 2, 1])
    expect(readFileSync(file.path).length).toBe(file.totalSize + 32)
  })
})
