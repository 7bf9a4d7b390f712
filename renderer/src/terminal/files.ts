/** Files into a container and out of it, by the tar that it has: `kubectl cp`. */
import type { Face } from '../face/face.ts'
import { onlyFile, tarEnd, tarHeader, tarPadding } from './tar.ts'

export interface Place {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

/** The container's tar failed, or there is none. */
export class TarFailure extends Error {
  override readonly name = 'TarFailure'
  readonly isMissing: boolean

  constructor(message: string, code: number | null) {
    super(message)
    this.isMissing = code === 126 || code === 127 || /executable file not found|no such file or directory.*tar/i.test(message)
  }
}

/** Bytes that one message carries at the most. */
const PIECE = 64 * 1024

/** Runs it without a terminal: what it says goes to `out`. Throws TarFailure unless it ends with 0. */
async function run(
  face: Face,
  { namespace, pod, container }: Place,
  command: [string, ...string[]],
  io: { input?: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>; out?: (bytes: Uint8Array) => void },
  signal: AbortSignal,
): Promise<void> {
  const stream = face.open('kube.exec', { namespace, pod, container, command, tty: false }, { signal })
  const decoder = new TextDecoder()
  let complaint = ''
  let code: number | null = null
  const input = (async () => {
    await io.input?.((bytes) => stream.send({ type: 'stdin' }, bytes))
    stream.end()
  })()
  // It may have ended before all was sent; how, is said below.
  input.catch(() => undefined)
  for await (const { value, bytes } of stream) {
    if (value.type === 'exit') {
      code = value.code
      complaint ||= value.message ?? ''
    } else if (bytes && value.type === 'stderr') complaint += decoder.decode(bytes, { stream: true })
    else if (bytes) io.out?.(bytes)
  }
  if (code !== 0) throw new TarFailure(complaint.trim() || `tar ended with ${code ?? 'no code'}`, code)
}

/** Into a folder that is there. `tell` hears how many bytes of the files have gone. */
export async function upload(
  face: Face,
  place: Place,
  folder: string,
  files: readonly File[],
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let sent = 0
  const input = async (write: (bytes: Uint8Array) => Promise<void>) => {
    for (const file of files) {
      await write(tarHeader(file.name, file.size, file.lastModified / 1000))
      for (let at = 0; at < file.size; at += PIECE) {
        const piece = new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer())
        await write(piece)
        tell((sent += piece.length))
      }
      const padding = tarPadding(file.size)
      if (padding.length) await write(padding)
    }
    await write(tarEnd())
  }
  await run(face, place, ['tar', 'xmf', '-', '-C', folder], { input }, signal)
}

/** A file as it is, or a folder as an archive. `tell` hears how many bytes have come. */
export async function download(
  face: Face,
  place: Place,
  path: string,
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly content: Blob }> {
  const whole = path.replace(/\/+$/, '') || '/'
  const at = whole.lastIndexOf('/')
  const folder = at > 0 ? whole.slice(0, at) : at === 0 ? '/' : '.'
  const base = whole.slice(at + 1) || '.'
  const parts: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  const out = (bytes: Uint8Array) => {
    parts.push(Uint8Array.from(bytes))
    tell((size += bytes.length))
  }
  await run(face, place, ['tar', 'cf', '-', '-C', folder, base], { out }, signal)
  const archive = new Blob(parts)
  const single = onlyFile(new Uint8Array(await archive.slice(0, 512).arrayBuffer()), size)
  if (single) return { name: base, content: archive.slice(single.at, single.at + single.size) }
  return { name: `${base === '.' ? 'root' : base}.tar`, content: archive }
}
