import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { quote } from '../quote.ts'
import { localShell, scriptedShell } from '../testing/local-shell.ts'
import { requireSuccess, shellCommand, type Shell } from './exec.ts'
import { contentSource, mebibytes, remoteSha256, Throughput, upload } from './transfer.ts'

let dir: string
let shell: Shell
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'transfer-'))
  shell = localShell(dir)
})
afterEach(() => rm(dir, { recursive: true, maxRetries: 20 }))
const mode = { mode: 0o750 }

describe('upload', () => {
  it('makes the folders on the way, sets the mode, and reports what was sent', async () => {
    const seen: number[] = []
    const path = join(dir, 'a b/c/file')
    await upload(shell, contentSource('hello'), path, '1', { mode: 0o750, onProgress: (sent) => seen.push(sent) })
    expect(await readFile(path, 'utf8')).toBe('hello')
    expect((await stat(path)).mode & 0o777).toBe(0o750)
    expect((await stat(join(dir, 'a b/c'))).mode & 0o777).toBe(0o755)
    expect(seen).toEqual([5])
    expect(await remoteSha256(shell, path)).toBe(contentSource('hello').sha256)
    expect(await remoteSha256(shell, join(dir, 'none'))).toBeNull()
  })

  it('unpacks on the machine and checks the unpacked bytes', async () => {
    const whole = contentSource('hello'.repeat(1000))
    const packed = gzipSync(whole.content as Uint8Array)
    const path = join(dir, 'file')
    await upload(shell, { ...whole, content: packed, size: packed.length, unpack: 'gzip' }, path, '1', mode)
    expect(await readFile(path, 'utf8')).toHaveLength(5000)
  })

  it('leaves neither the part nor new folders when its input breaks off, and the old file as it was', async () => {
    async function* broken() {
      yield Buffer.from('half')
      throw new Error('the line is dead')
    }
    const source = { content: broken(), size: 8, unpackedSize: 8, sha256: '0'.repeat(64) }
    await expect(upload(shell, source, join(dir, 'new/deep/file'), '1', mode)).rejects.toThrow('the line is dead')
    await expect.poll(() => readdir(dir), { timeout: 10_000 }).toEqual([])
    await writeFile(join(dir, 'file'), 'old')
    await expect(upload(shell, { ...source, content: broken() }, join(dir, 'file'), '2', mode)).rejects.toThrow('the line is dead')
    await expect.poll(() => readdir(dir), { timeout: 10_000 }).toEqual(['file'])
    expect(await readFile(join(dir, 'file'), 'utf8')).toBe('old')
  })

  it('clears away what an earlier attempt left, but nothing of other files', async () => {
    await writeFile(join(dir, 'file.part.old'), '')
    await writeFile(join(dir, 'other.part.old'), '')
    await upload(shell, contentSource('x'), join(dir, 'file'), '3', mode)
    expect((await readdir(dir)).sort()).toEqual(['file', 'other.part.old'])
  })

  it('refuses bytes that are too few or others than said', async () => {
    const source = contentSource('hello')
    await expect(upload(shell, { ...source, unpackedSize: 6 }, join(dir, 'file'), '1', mode)).rejects.toMatchObject({
      code: 'REMOTE_COMMAND_FAILED',
      why: expect.stringContaining('Only a part') as string,
    })
    await expect(upload(shell, { ...source, sha256: '0'.repeat(64) }, join(dir, 'file'), '1', mode)).rejects.toMatchObject({
      why: 'It arrived with other content.',
    })
    expect(await readdir(dir)).toEqual([])
  })

  it('gives numbers when the disk is too small, before it writes anything', async () => {
    const huge = { ...contentSource('x'), unpackedSize: 2 ** 50 }
    await expect(upload(shell, huge, join(dir, 'file'), '1', mode)).rejects.toMatchObject({
      code: 'DISK_FULL',
      why: expect.stringMatching(/\d+ MiB are free, 1073741824 MiB are needed/) as string,
    })
    expect(await readdir(dir)).toEqual([])
  })

  it('tells a disk that fills up, and a folder that may not be written', async () => {
    const full = scriptedShell({ code: 1, stderr: 'cat: write error: No space left on device\n' })
    await expect(upload(full, contentSource('x'), '/a', '1', mode)).rejects.toMatchObject({ code: 'DISK_FULL' })
    const denied = scriptedShell({ code: 1, stderr: 'mkdir: cannot create directory: Permission denied\n' })
    await expect(upload(denied, contentSource('x'), '/a', '1', mode)).rejects.toMatchObject({
      code: 'REMOTE_COMMAND_FAILED',
      why: 'It said: mkdir: cannot create directory: Permission denied',
    })
  })
})

describe('quote', () => {
  it('makes one argument of anything', async () => {
    for (const text of ['plain-1.0', '', "it's", 'a b', '$HOME `x` "y" \\', '\n', '-n', '*']) {
      const { stdout } = await shell.exec(shellCommand(`printf %s ${quote(text)}; printf .`))
      expect(stdout).toBe(`${text}.`)
    }
  })
})

describe('requireSuccess', () => {
  it('knows a full disk from other failures, and says what was printed last', () => {
    const failed = (stderr: string) => () => requireSuccess({ code: 2, stdout: '', stderr }, 'It failed.')
    expect(failed('x: No space left on device')).toThrow(expect.objectContaining({ code: 'DISK_FULL' }) as Error)
    expect(failed('1\n2\n3\n4\n5\n6')).toThrow(/It said: 2\n3\n4\n5\n6/)
    expect(failed('')).toThrow(/ended with code 2/)
  })
})

describe('Throughput', () => {
  it('knows nothing before a mebibyte went, then bytes a second', async () => {
    const clock = new FakeClock()
    const throughput = new Throughput(clock)
    await throughput.measure(1000, () => clock.advance(10))
    expect(throughput.bytesPerSecond).toBeNull()
    await throughput.measure(3 << 20, () => clock.advance(990))
    expect(throughput.bytesPerSecond).toBe((3 << 20) + 1000)
  })
})

describe('mebibytes', () => {
  it('rounds as people read', () => {
    expect([0, 1 << 19, 9.96 * 2 ** 20, 127 * 2 ** 20].map(mebibytes)).toEqual(['0.0 MiB', '0.5 MiB', '10.0 MiB', '127 MiB'])
  })
})
