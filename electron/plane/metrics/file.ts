/**
 * The history in the state folder: one compressed file, written beside and renamed, so that a crash leaves the old one or the new. The
 * file: 4 bytes length of a JSON head (big-endian), the head, then all values as 32-bit floats (little-endian).
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import * as v from 'valibot'
import { systemCode } from '../../base/errors.ts'
import type { MetricsHistory, Subject } from './history.ts'
import { Series } from './series.ts'

/** Bytes on disk. */
export const DISK_BUDGET = 32 * 1024 * 1024
const VERSION = 1

const head = v.object({
  version: v.literal(VERSION),
  entries: v.array(
    v.object({
      kind: v.picklist(['cluster', 'node', 'namespace', 'workload', 'pod', 'container']),
      name: v.string(),
      node: v.optional(v.string()),
      lastAt: v.number(),
      /** Key, number of the step after the newest value, how many values. */
      rings: v.array(v.tuple([v.string(), v.number(), v.number()])),
    }),
  ),
})

const fileIn = (dir: string) => join(dir, 'history.bin.gz')

/** The size of what was written. Who was measured longest ago is left out where there is too much. */
export async function writeHistory(dir: string, history: MetricsHistory, budget: number = DISK_BUDGET): Promise<number> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const all = [...history.entries()].toSorted((a, b) => b.series.lastAt - a.series.lastAt)
  let packed = await pack(all)
  // What compresses how well is known only afterwards: half as many until they fit.
  for (let n = all.length; packed.length > budget && n > 1;) packed = await pack(all.slice(0, (n = Math.floor(n / 2))))
  const file = fileIn(dir)
  await writeFile(`${file}.new`, packed, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return packed.length
}

async function pack(entries: readonly { subject: Subject; series: Series }[]): Promise<Buffer> {
  const parts: Uint8Array[] = []
  const described = entries.map(({ subject, series }) => ({
    kind: subject.kind,
    name: subject.name,
    ...(subject.node === undefined ? {} : { node: subject.node }),
    lastAt: series.lastAt,
    rings: [...series.states()].map(([key, { end, values }]) => {
      parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      return [key, end, values.length]
    }),
  }))
  const text = Buffer.from(JSON.stringify({ version: VERSION, entries: described }))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return promisify(gzip)(Buffer.concat([length, text, ...parts]), { level: 1 })
}

/** Bytes of the file that was read; 0 if there is none. One that cannot be understood is dropped: `onDamaged` hears why. */
export async function readHistory(dir: string, history: MetricsHistory, onDamaged: (why: unknown) => void): Promise<number> {
  const file = fileIn(dir)
  try {
    const data = await promisify(gunzip)(await readFile(file))
    const length = data.readUInt32BE(0)
    const { entries } = v.parse(head, JSON.parse(data.toString('utf8', 4, 4 + length)))
    let at = 4 + length
    for (const { rings, lastAt, ...subject } of entries) {
      const series = new Series()
      series.lastAt = lastAt
      for (const [key, end, count] of rings) {
        const bytes = data.subarray(at, at + count * 4)
        if (bytes.length < count * 4) throw new RangeError('it ends too early')
        series.restore(key, { end, values: new Float32Array(Uint8Array.from(bytes).buffer) })
        at += count * 4
      }
      history.restore(subject, series)
    }
    return (await stat(file)).size
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0
    onDamaged(error)
    await rm(file, { force: true })
    return 0
  }
}
