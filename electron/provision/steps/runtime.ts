/** Copying programs: Node and the agent. */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import { FlotillaError } from '../../base/errors.ts'
import { LAYOUT } from '../layout.ts'
import { requireSuccess } from '../ssh/exec.ts'
import { fileSource, mebibytes, sha256File, upload, type UploadSource } from '../ssh/transfer.ts'
import type { StepTools } from './step.ts'
import type { Target } from './target.ts'

/** Sha256 sums of large local files that do not change while the program runs. */
export class LocalFiles {
  readonly #sums = new Map<string, Promise<string>>()
  readonly #packing = new Map<string, Promise<void>>()
  readonly #cacheDir: string

  /** Compressed copies are kept in `cacheDir`. */
  constructor(cacheDir: string) {
    this.#cacheDir = cacheDir
  }

  /** Lower-case hex. */
  async sha256(path: string): Promise<string> {
    const { size, mtimeMs } = await stat(path)
    const key = `${path}\0${size}\0${mtimeMs}`
    let sum = this.#sums.get(key)
    if (!sum) {
      sum = sha256File(path)
      this.#sums.set(key, sum)
      sum.catch(() => this.#sums.delete(key))
    }
    return await sum
  }

  /** The file compressed, made on first use. */
  async compressed(path: string, by: 'gzip' | 'zstd'): Promise<UploadSource> {
    const packed = await this.pack(path, by)
    const { size } = await stat(packed)
    const content = createReadStream(packed, { highWaterMark: 1 << 18 })
    return { content, size, unpack: by, unpackedSize: (await stat(path)).size, sha256: await this.sha256(path) }
  }

  /** The path of the compressed copy, once it is there. Several may ask for it at a time. */
  async pack(path: string, by: 'gzip' | 'zstd'): Promise<string> {
    const sum = await this.sha256(path)
    const packed = join(this.#cacheDir, `${sum.slice(0, 16)}.${by === 'gzip' ? 'gz' : 'zst'}`)
    let packing = this.#packing.get(packed)
    if (!packing) {
      packing = this.#makePacked(path, packed, by).finally(() => this.#packing.delete(packed))
      this.#packing.set(packed, packing)
    }
    await packing
    return packed
  }

  async #makePacked(path: string, packed: string, by: 'gzip' | 'zstd'): Promise<void> {
    const there = await stat(packed).catch(() => null)
    if (!there) {
      await mkdir(this.#cacheDir, { recursive: true })
      const part = `${packed}.${process.pid}.new`
      const packer = by === 'gzip' ? createGzip({ level: 2 }) : createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } })
      try {
        await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), packer, createWriteStream(part))
        await rename(part, packed)
      } finally {
        await rm(part, { force: true })
      }
    }
  }
}

/** Bytes a second at which packing and unpacking cost as much as they save on two slow cores. */
const FAST = 40 << 20

/** Whether to compress: not for small files, and not when the connection is known to be fast. */
export function compressionPays(size: number, bytesPerSecond: number | null): boolean {
  return size > 4 << 20 && (bytesPerSecond === null || bytesPerSecond < FAST)
}

/** Copies a program unless the machine has the same bytes already. Nothing is left of a copy that fails. */
export async function copyProgram(
  target: Target,
  files: LocalFiles,
  from: string,
  to: string,
  mode: number,
  remoteSha256: string | null,
  tools: StepTools,
): Promise<void> {
  if ((await files.sha256(from)) === remoteSha256) return tools.detail('is there already')
  const { facts, root, throughput, clock } = target
  const { size } = await stat(from)
  const packer = facts.zstd ? 'zstd' : facts.gzip ? 'gzip' : null
  if (packer && compressionPays(size, throughput.bytesPerSecond)) tools.detail('packing')
  const source =
    packer && compressionPays(size, throughput.bytesPerSecond)
      ? await files.compressed(from, packer)
      : { ...(await fileSource(from)), sha256: await files.sha256(from) }
  const id = Buffer.from(target.random.bytes(6)).toString('hex')
  const started = clock.monotonic()
  let shown = 0
  await throughput.measure(source.size, () =>
    upload(root, source, to, id, {
      mode,
      owner: 'root:root',
      signal: tools.signal,
      // A machine on this computer is shown the file; what is copied instead after an update must not fall under that mount.
      before: `! grep -q ' ${to} ' /proc/mounts || umount ${to}`,
      onProgress(sent) {
        if (sent < source.size && clock.monotonic() - shown < 500) return
        shown = clock.monotonic()
        tools.detail(`copied ${mebibytes(sent)} of ${mebibytes(source.size)}`)
      },
    }),
  )
  const seconds = (clock.monotonic() - started) / 1000
  tools.detail(`copied ${mebibytes(size)}${source.unpack ? ` as ${mebibytes(source.size)}` : ''} in ${seconds.toFixed(1)} s`)
}

/** Sees that the runtime runs there: not another architecture, not a mount without exec, not a C library that is too old. */
export async function requireRuntime(target: Target, signal?: AbortSignal): Promise<void> {
  const result = await target.root.exec(`${LAYOUT.node} --version`, { signal, timeoutMs: 180_000 })
  if (result.code === 0 && result.stdout.startsWith('v')) return
  const said = result.stderr.trim()
  if (/GLIBC|not found|No such file/i.test(said))
    throw new FlotillaError('PREFLIGHT_FAILED', {
      what: `The runtime does not run on ${target.name}.`,
      why: `Its C library does not fit: ${said.split('\n')[0]}.`,
      next: 'A distribution with glibc 2.28 or newer is needed (Debian 10, Ubuntu 18.10, RHEL 8 or newer; not Alpine).',
    })
  if (/Permission denied/i.test(said))
    throw new FlotillaError('PREFLIGHT_FAILED', {
      what: `The runtime may not be run on ${target.name}.`,
      why: `${LAYOUT.programs} is on a file system mounted with "noexec".`,
      next: 'Mount it without noexec.',
    })
  requireSuccess(result, `The runtime does not run on ${target.name}.`)
}
