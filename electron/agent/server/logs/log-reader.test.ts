import { appendFile, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../base/clock.ts'
import type { LogOptions } from './log-options.ts'
import { readLog } from './log-reader.ts'

const ALL: LogOptions = {
  ...{ follow: false, previous: false, timestamps: false, tailLines: null, since: null, limitBytes: null, stream: null },
}
const written = (...lines: string[]) => lines.map((line) => `2026-11-21T08:00:00.000000000Z stdout F ${line}\n`).join('')
const said = (...lines: string[]) => lines.map((line) => `${line}\n`).join('')
/** More than is read at a time. */
const LONG = 'x'.repeat(200_000)

describe('readLog', () => {
  let dir: string
  let path: string
  let running: boolean
  let changed: () => void
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'log-reader-'))
    path = join(dir, '0.log')
    running = true
    changed = () => undefined
  })
  afterEach(() => rm(dir, { recursive: true }))

  function source() {
    const onChange = (listener: () => void) => {
      changed = listener
      return { [Symbol.dispose]: () => undefined }
    }
    return { path, running: () => running, onChange }
  }
  const read = (options: Partial<LogOptions>) => readLog(source(), { ...ALL, ...options }, systemClock, new AbortController().signal)
  const end = () => {
    running = false
    changed()
  }
  async function text(chunks: AsyncIterable<Buffer>): Promise<string> {
    const all: Buffer[] = []
    for await (const chunk of chunks) all.push(chunk)
    return Buffer.concat(all).toString()
  }

  it('reads over the files that were set aside, and searches the last lines in all of them', async () => {
    await writeFile(`${path}.20261121-080000000`, written('one', 'two'))
    await writeFile(`${path}.20261121-080001000`, written('three'))
    await writeFile(path, written('four'))
    expect(await text(read({}))).toBe(said('one', 'two', 'three', 'four'))
    expect(await text(read({ tailLines: 3 }))).toBe(said('two', 'three', 'four'))
    expect(await text(read({ tailLines: 1 }))).toBe(said('four'))
    expect(await text(read({ tailLines: 0 }))).toBe('')
  })

  it('loses nothing when the file is set aside more than once while a slow reader is at its beginning', async () => {
    await writeFile(path, written(LONG, 'one'))
    const chunks = read({ follow: true })
    const first = await chunks.next()
    for (const name of ['two', 'three']) {
      await rename(path, `${path}.${name === 'two' ? '20261121-080000000' : '20261121-080001000'}`)
      await writeFile(path, written(name))
    }
    end()
    expect((first.value as Buffer).toString() + (await text(chunks))).toBe(said(LONG, 'one', 'two', 'three'))
  })

  it('keeps reading what it has begun when that is dropped meanwhile', async () => {
    await writeFile(`${path}.20261121-080000000`, written(LONG, 'one'))
    await writeFile(path, written('two'))
    const chunks = read({})
    const first = await chunks.next()
    await rm(`${path}.20261121-080000000`)
    await rm(path)
    expect((first.value as Buffer).toString() + (await text(chunks))).toBe(said(LONG, 'one', 'two'))
  })

  it('waits for what the runtime writes to the old file after it has opened the new one', async () => {
    await writeFile(path, written('one'))
    const chunks = read({ follow: true })
    const first = await chunks.next()
    await using old = await open(path, 'a')
    await rename(path, `${path}.20261121-080000000`)
    await writeFile(path, written('three'))
    const rest = text(chunks)
    await old.appendFile(written('two'))
    end()
    expect((first.value as Buffer).toString() + (await rest)).toBe(said('one', 'two', 'three'))
  })

  it('follows a log that is not there yet, and ends with its container', async () => {
    const rest = text(read({ follow: true }))
    await appendFile(path, written('one'))
    changed()
    await appendFile(path, written('two'))
    end()
    expect(await rest).toBe(said('one', 'two'))
  })
})
