/**
 * Runs transactions of nft(8). Small ones go to a process that is kept for a while: measured with 1,000 Services on a slow machine, a
 * change takes it 3 to 5 ms, and 12 to 20 ms with a process of its own, which must read the table first. Large ones, and all where
 * `nft` was built without its interactive form, get a process of their own.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { deferred, Mutex, type Deferred } from '../../../base/async.ts'
import type { Clock } from '../../../base/clock.ts'
import { CommandError, commandEnvironment, type Commands } from '../commands.ts'

export interface Nft extends AsyncDisposable {
  /** Does all commands or none. Throws CommandError with what nft said. */
  apply(commands: readonly string[]): Promise<void>
  /** Standard output of `nft ARGS`. */
  read(...args: string[]): Promise<string>
}

export interface NftDeps {
  readonly commands: Commands
  readonly clock: Clock
}

/** Characters of a transaction; its line editor reads slowly. */
const MOST_FOR_SESSION = 16_384
/** Milliseconds: an idle process is ended, one that does not answer is killed. */
const IDLE = 60_000
const TIMEOUT = 30_000

export function createNft({ commands, clock }: NftDeps): Nft {
  const order = new Mutex()
  let session: Session | null = null
  let usable = true
  let idle: Disposable | null = null

  const end = () => {
    idle?.[Symbol.dispose]()
    idle = null
    session?.end()
    session = null
  }
  const interactive = async (text: string) => {
    idle?.[Symbol.dispose]()
    if (session?.ended) session = null
    const fresh = session === null
    session ??= new Session(clock)
    try {
      await session.run(text)
    } catch (error) {
      if (!(error instanceof SessionEnded)) throw error
      session = null
      usable = !fresh
      // Nothing tells whether it was done; the caller's commands are for a state that it knows, so it must begin anew.
      throw new CommandError('nft -i', null, error.message, error)
    } finally {
      idle = clock.setTimeout(end, IDLE, { unref: true })
    }
  }
  return {
    apply: (list) =>
      order.run(async () => {
        if (list.length === 0) return
        const size = list.reduce((sum, line) => sum + line.length + 2, 0)
        if (usable && size <= MOST_FOR_SESSION) return interactive(list.join('; '))
        // The process that is kept would have to read all of it again.
        end()
        await commands.run('nft', ['-f', '-'], `${list.join('\n')}\n`)
      }),
    read: (...args) => commands.run('nft', args),
    async [Symbol.asyncDispose]() {
      await order.run(end)
    },
  }
}

class SessionEnded extends Error {}

/** Says that all before it is done: nft answers it by itself, in one short line. */
const MARK = 'describe ip version'
const MARK_ANSWER = /^.*\bdatatype integer\b.*\n/m

class Session {
  readonly #child: ChildProcess
  readonly #clock: Clock
  #said = ''
  #waiting: Deferred<string> | null = null
  ended = false

  constructor(clock: Clock) {
    this.#clock = clock
    // One stream for answers and errors keeps their order.
    this.#child = spawn('sh', ['-c', 'exec nft -i 2>&1'], { stdio: ['pipe', 'pipe', 'ignore'], env: commandEnvironment() })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
    this.#child.stdin?.on('error', () => undefined)
    const onEnd = (error?: Error) => {
      this.ended = true
      this.#waiting?.reject(new SessionEnded(error?.message ?? `it ended by itself${this.#said ? `: ${this.#said.trim()}` : ''}`))
    }
    this.#child.once('error', onEnd)
    this.#child.once('close', () => onEnd())
    this.#child.unref()
  }

  async run(text: string): Promise<void> {
    if (this.ended) throw new SessionEnded('it has ended')
    const waiting = deferred<string>()
    this.#waiting = waiting
    this.#said = ''
    using _limit = this.#clock.setTimeout(() => this.#child.kill('SIGKILL'), TIMEOUT, { unref: true })
    this.#child.stdin?.write(`${text}\n${MARK}\n`)
    try {
      const answer = await waiting.promise
      if (/\bError:/.test(answer)) throw new CommandError('nft -i', null, answer)
    } finally {
      this.#waiting = null
    }
  }

  end(): void {
    this.ended = true
    this.#child.stdin?.end()
  }

  #hear(text: string): void {
    this.#said += text
    const mark = MARK_ANSWER.exec(this.#said)
    if (mark) this.#waiting?.resolve(this.#said.slice(0, mark.index))
  }
}
