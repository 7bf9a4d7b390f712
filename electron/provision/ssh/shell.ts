/** A login shell on a machine, in a terminal or between pipes. */
import type { ClientChannel } from 'ssh2'
import { AsyncQueue } from '../../base/async.ts'
import { writeChannel } from './channel.ts'

export interface TerminalSize {
  readonly cols: number
  readonly rows: number
}

/** A terminal has one output. */
export interface ShellOutput {
  readonly type: 'stdout' | 'stderr'
  readonly bytes: Uint8Array
}

export interface ShellSession extends Disposable {
  /** What the shell prints; ends when it ends, throws if the connection breaks. One consumer; nothing is read ahead of it. */
  readonly output: AsyncIterable<ShellOutput>
  /** Resolves when the bytes are handed on. */
  write(bytes: Uint8Array): Promise<void>
  /** No more input comes: without a terminal the shell ends when it has read all. */
  end(): void
  resize(size: TerminalSize): void
  /** The exit code once the output has ended; null if a signal ended it. */
  readonly exit: Promise<number | null>
}

export function openShell(channel: ClientChannel, lost: () => Error | null, signal?: AbortSignal): ShellSession {
  const chunks = new AsyncQueue<ShellOutput>()
  const exit = Promise.withResolvers<number | null>()
  exit.promise.catch(() => undefined)
  let code: number | null = null
  const onAbort = () => channel.close()
  signal?.addEventListener('abort', onAbort, { once: true })
  channel.on('data', (bytes: Buffer) => {
    chunks.push({ type: 'stdout', bytes })
    channel.pause()
  })
  channel.stderr.on('data', (bytes: Buffer) => {
    chunks.push({ type: 'stderr', bytes })
    channel.stderr.pause()
  })
  channel.on('exit', (exitCode: number | null) => {
    code = exitCode
  })
  channel.on('close', () => {
    signal?.removeEventListener('abort', onAbort)
    const error = lost()
    if (error && code === null) {
      chunks.fail(error)
      exit.reject(error)
      return
    }
    chunks.end()
    exit.resolve(code)
  })
  async function* output(): AsyncGenerator<ShellOutput> {
    for await (const chunk of chunks) {
      yield chunk
      if (chunks.length > 0) continue
      channel.resume()
      channel.stderr.resume()
    }
  }
  return {
    output: output(),
    async write(bytes) {
      await writeChannel(channel, bytes)
    },
    end: () => void channel.end(),
    resize: ({ rows, cols }) => channel.setWindow(rows, cols, 0, 0),
    exit: exit.promise,
    [Symbol.dispose]() {
      channel.close()
      channel.resume()
    },
  }
}
