/** Commands on a machine. */
import type { ClientChannel } from 'ssh2'
import { deadline, type Clock } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import { quote } from '../quote.ts'
import { writeChannel } from './channel.ts'

export interface ExecOptions {
  /** Sent to the command, then its end; absent: no input at all. */
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
  /**
   * Stops waiting. The command sees the end of its input and nobody who reads its output; it is not killed, so that what must not be
   * cut in two (a package that is being unpacked) is not.
   */
  readonly signal?: AbortSignal | undefined
  /** Gives up after this long; absent: never. */
  readonly timeoutMs?: number
  /** Called with output as it comes instead of keeping it. The stream waits for what it returns. */
  readonly onStdout?: (chunk: Buffer) => Promise<void> | void
  /** Bytes of output that are kept, from the end; 1 MiB if absent. */
  readonly limit?: number
}

export interface ExecResult {
  /** The exit code; 128 plus the number for a signal that ended it, as shells count. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Anything that runs a POSIX shell script on a machine: as the SSH user, or as root. */
export interface Shell {
  /** A script that ends with another code than 0 is a result, not an error. Throws SSH_CONNECTION_LOST or the signal's reason. */
  exec(script: string, options?: ExecOptions): Promise<ExecResult>
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
}

/** Runs `drive` within the command's time. */
export async function runProcess(
  command: string,
  options: ExecOptions,
  clock: Clock,
  drive: (options: { signal: AbortSignal | undefined }) => Promise<ExecResult>,
): Promise<ExecResult> {
  options.signal?.throwIfAborted()
  if (options.timeoutMs === undefined) return await drive({ signal: options.signal })
  using limit = deadline(clock, options.timeoutMs, options.signal)
  try {
    return await drive({ signal: limit.signal })
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'TimeoutError') throw error
    throw new FlotillaError('REMOTE_COMMAND_FAILED', {
      what: 'A command on the machine did not end.',
      why: `It ran for ${Math.round(options.timeoutMs / 1000)} seconds: ${firstLine(command)}`,
      next: 'Look at the machine: its disk or a mount may hang. Then try again.',
    })
  }
}

/** Drives one channel from its opening to its close. `lost` says why the connection broke, and null while it holds. */
export async function driveProcess(channel: ClientChannel, options: ExecOptions, lost: () => FlotillaError | null): Promise<ExecResult> {
  const { signal } = options
  const limit = options.limit ?? 1 << 20
  const stdout = new Tail(limit)
  const stderr = new Tail(limit)
  let code: number | null = null
  const result = Promise.withResolvers<void>()
  result.promise.catch(() => undefined)
  const onAbort = () => {
    channel.close()
    result.reject(signal?.reason)
  }
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })

  let delivering: Promise<void> = Promise.resolve()
  channel.on('data', (chunk: Buffer) => {
    const taken = options.onStdout ? options.onStdout(chunk) : stdout.add(chunk)
    if (!taken) return
    channel.pause()
    delivering = taken.then(
      () => void channel.resume(),
      (error: unknown) => {
        channel.close()
        channel.resume()
        result.reject(error)
      },
    )
  })
  channel.stderr.on('data', (chunk: Buffer) => stderr.add(chunk))
  channel.on('exit', (exitCode: number | null, name?: string) => {
    code = exitCode ?? 128 + (SIGNALS[name ?? ''] ?? 0)
  })
  channel.on('close', () => {
    const broken = lost()
    if (code === null && broken) result.reject(broken)
    else delivering.then(result.resolve, result.reject)
  })
  channel.on('error', (error: Error) => result.reject(lost() ?? error))
  try {
    await Promise.race([feed(channel, options.stdin), result.promise])
    await result.promise
  } catch (error) {
    channel.close()
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
  return { code: code ?? 255, stdout: stdout.toString(), stderr: stderr.toString() }
}

async function feed(channel: ClientChannel, stdin: ExecOptions['stdin']): Promise<void> {
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) {
    if (stdin.length) await writeChannel(channel, Buffer.from(stdin))
  } else if (stdin) {
    for await (const chunk of stdin) if (!(await writeChannel(channel, chunk))) break
  }
  channel.end()
}

/** The last bytes of a stream. */
class Tail {
  #chunks: Buffer[] = []
  #size = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(chunk: Buffer): undefined {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    while (this.#size - (this.#chunks[0]?.length ?? 0) >= this.#limit) this.#size -= this.#chunks.shift()?.length ?? 0
  }

  toString(): string {
    return Buffer.concat(this.#chunks).subarray(-this.#limit).toString('utf8')
  }
}

/**
 * A script for a user whose login shell may be any. csh takes no line break and no "!" in quotes, and fish reads "\\" in them: what has
 * one of these is written in octal, which all of them leave alone.
 */
export function shellCommand(script: string): string {
  return /[\n\\!]/.test(script) ? `/bin/sh -c 'eval "$(printf "${octal(script)}")"'` : `/bin/sh -c ${quote(script)}`
}

/** For printf's format. */
function octal(text: string): string {
  return text.replace(/[^\w .,:=@]/gu, (letter) =>
    letter === '/' ? letter : [...Buffer.from(letter)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  )
}

/** Printed before a script's own output: what stands before it was printed by the login shell's start-up files. */
const MARK = '=flotilla=\n'

/**
 * Runs a script by `run`, which puts it behind a login shell, and gives only what the script itself printed. `began` is false if it
 * never ran; its result is then what was in its place.
 */
export async function afterMark(
  script: string,
  options: ExecOptions,
  run: (script: string, options: ExecOptions) => Promise<ExecResult>,
): Promise<ExecResult & { readonly began: boolean }> {
  let head: Buffer | null = Buffer.alloc(0)
  const kept = new Tail(options.limit ?? 1 << 20)
  const take = (chunk: Buffer) => (options.onStdout ? options.onStdout(chunk) : kept.add(chunk))
  const onStdout = (chunk: Buffer): Promise<void> | void => {
    if (head === null) return take(chunk)
    head = Buffer.concat([head, chunk])
    const at = head.indexOf(MARK)
    if (at === -1) {
      // A login shell that prints without an end is not kept whole.
      if (head.length > MAX_NOISE) head = head.subarray(-MAX_NOISE / 2)
      return
    }
    const rest = head.subarray(at + MARK.length)
    head = null
    if (rest.length) return take(rest)
  }
  const { code, stderr } = await run(`echo ${MARK.trim()}\n${script}`, { ...options, onStdout })
  const noise = head as Buffer | null
  return { code, stdout: noise === null ? kept.toString() : noise.toString(), stderr, began: noise === null }
}

const MAX_NOISE = 1 << 20

const firstLine = (text: string) => (text.trim().split('\n')[0] ?? '').slice(0, 120)

/** Throws unless it ended well: DISK_FULL or REMOTE_COMMAND_FAILED with what the command printed last. */
export function requireSuccess(result: ExecResult, what: string, next = 'Look at the machine, then try again.'): ExecResult {
  if (result.code === 0) return result
  const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-5).join('\n')
  if (/No space left on device|Disk quota exceeded/i.test(said))
    throw new FlotillaError('DISK_FULL', { what, why: 'The disk of the machine is full.', next: 'Free some space there, then try again.' })
  throw new FlotillaError('REMOTE_COMMAND_FAILED', { what, why: said ? `It said: ${said}` : `It ended with code ${result.code}.`, next })
}
