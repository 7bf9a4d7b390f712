/** Interactive commands in running containers through containerd's Tasks API: with a terminal or without, half-close, and exit codes. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { deadline } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { holdFifo, makeFifos, readFifo, writeFifo } from './fifo.ts'
import { Containers } from './gen/containerd/containers_pb.js'
import { Tasks } from './gen/containerd/tasks_pb.js'
import type { GrpcConnection } from './grpc.ts'

const PROCESS_TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/Process'
const CALL = 60_000
/** Milliseconds without output after which an ended command's streams are closed although a child of it still holds them. */
const LINGER = 500

export interface ExecOptions {
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly tty: boolean
}

export interface ExecSession extends AsyncDisposable {
  /** Ending it gives the command an end of input; null if it was started without. */
  readonly stdin: Writable | null
  readonly stdout: Readable
  /** null with a terminal, where there is one stream. */
  readonly stderr: Readable | null
  /** The command's exit code, 128 + n if signal n ended it. Resolves after the streams have ended. */
  readonly exit: Promise<number>
  /** In characters. */
  resize(width: number, height: number): Promise<void>
}

export interface Executor {
  /** Fails with RuntimeError if the container does not run or the command cannot be started. Disposing a session kills its command. */
  exec(containerId: string, options: ExecOptions): Promise<ExecSession>
}

export interface TaskExecutorDeps {
  /** With the header `containerd-namespace`. */
  readonly connection: GrpcConnection
  readonly clock: Clock
  readonly random: Random
  /** A folder for named pipes. */
  readonly dir: string
}

export class TaskExecutor implements Executor {
  readonly #deps: TaskExecutorDeps

  constructor(deps: TaskExecutorDeps) {
    this.#deps = deps
  }

  async exec(containerId: string, options: ExecOptions): Promise<ExecSession> {
    const { connection, random, dir } = this.#deps
    const execId = `exec-${Buffer.from(random.bytes(16)).toString('hex')}`
    const folder = join(dir, execId)
    await using undo = new AsyncDisposableStack()
    await mkdir(folder, { recursive: true, mode: 0o700 })
    undo.defer(() => rm(folder, { recursive: true, force: true }))

    const paths = {
      stdout: join(folder, 'stdout'),
      ...(options.stdin ? { stdin: join(folder, 'stdin') } : {}),
      ...(options.tty ? {} : { stderr: join(folder, 'stderr') }),
    }
    await makeFifos(Object.values(paths))
    const spec = await this.#processSpec(containerId, options)
    await connection.unary(
      Tasks.method.exec,
      { containerId, execId, ...paths, terminal: options.tty, spec: { typeUrl: PROCESS_TYPE, value: spec } },
      { timeout: CALL },
    )
    undo.defer(() => this.#deleteProcess(containerId, execId))

    const holds = Object.values(paths).map((path) => undo.use(holdFifo(path)))
    const stdout = readFifo(paths.stdout)
    undo.defer(() => void stdout.destroy())
    const stderr = paths.stderr === undefined ? null : readFifo(paths.stderr)
    undo.defer(() => void stderr?.destroy())
    const stdin = paths.stdin === undefined ? null : writeFifo(paths.stdin)
    undo.defer(() => void stdin?.destroy())
    // A command that ends without reading its input breaks the pipe: no fault of anyone.
    stdin?.on('error', () => undefined)
    // The shim holds the pipe open itself until it is told that no more comes.
    stdin?.on('close', () => void this.#closeInput(containerId, execId))

    await connection.unary(Tasks.method.start, { containerId, execId }, { timeout: CALL })
    for (const hold of holds) hold[Symbol.dispose]()

    const cleanup = undo.move()
    const exit = this.#untilExit(containerId, execId, stderr ? [stdout, stderr] : [stdout]).finally(() => cleanup.disposeAsync())
    exit.catch(() => undefined)
    return {
      stdin,
      stdout,
      stderr,
      exit,
      resize: async (width, height) => {
        await connection.unary(Tasks.method.resizePty, { containerId, execId, width, height }, { timeout: CALL })
      },
      [Symbol.asyncDispose]: async () => {
        await connection.unary(Tasks.method.kill, { containerId, execId, signal: 9 }, { timeout: CALL }).catch(() => undefined)
        for (const stream of [stdout, stderr]) stream?.destroy()
        await exit.catch(() => undefined)
      },
    }
  }

  /** The container's own first process with another command: same user, folder, environment and limits. */
  async #processSpec(containerId: string, options: ExecOptions): Promise<Uint8Array> {
    const { container } = await this.#deps.connection.unary(Containers.method.get, { id: containerId }, { timeout: CALL })
    const spec = JSON.parse(Buffer.from(container?.spec?.value ?? []).toString()) as {
      process: Record<string, unknown> & { env?: string[] }
    }
    const { consoleSize: _size, commandLine: _line, ...process } = spec.process
    const env = options.tty ? [...(process.env ?? []), 'TERM=xterm'] : process.env
    return Buffer.from(JSON.stringify({ ...process, env, args: options.command, terminal: options.tty }))
  }

  async #untilExit(containerId: string, execId: string, outputs: readonly Readable[]): Promise<number> {
    const { connection, clock } = this.#deps
    const { exitStatus } = await connection.unary(Tasks.method.wait, { containerId, execId })
    await Promise.all(outputs.map((output) => drained(output, clock)))
    return exitStatus
  }

  async #closeInput(containerId: string, execId: string): Promise<void> {
    await this.#deps.connection.unary(Tasks.method.closeIO, { containerId, execId, stdin: true }, { timeout: CALL }).catch(() => undefined)
  }

  async #deleteProcess(containerId: string, execId: string): Promise<void> {
    await this.#deps.connection.unary(Tasks.method.deleteProcess, { containerId, execId }, { timeout: CALL }).catch(() => undefined)
  }
}

/** Waits for the stream's end; a stream that stays open but silent, while its reader keeps up, is closed. */
async function drained(stream: Readable & { bytesRead?: number }, clock: Clock): Promise<void> {
  const ended = finished(stream, { writable: false }).then(
    () => true,
    () => true,
  )
  for (let seen = -1; ;) {
    using limit = deadline(clock, LINGER)
    const silent = new Promise<boolean>((resolve) => limit.signal.addEventListener('abort', () => resolve(false), { once: true }))
    if (await Promise.race([ended, silent])) return
    const keepsUp = stream.readableFlowing === true && stream.readableLength === 0
    if (keepsUp && stream.bytesRead === seen) return void stream.destroy()
    seen = stream.bytesRead ?? 0
  }
}
