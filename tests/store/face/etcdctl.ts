/** etcdctl as Debian ships it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const ETCDCTL = '/usr/bin/etcdctl'

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

export interface Running extends AsyncDisposable {
  /** Lines that it has printed so far. */
  readonly lines: readonly string[]
  readonly ended: Promise<number | null>
  interrupt(): void
}

export class Etcdctl {
  readonly #args: readonly string[]

  constructor(url: string, ...options: readonly string[]) {
    this.#args = [`--endpoints=${url}`, '--command-timeout=60s', '--dial-timeout=20s', ...options]
  }

  async run(args: readonly string[], input = ''): Promise<Ran> {
    const child = this.#spawn(args)
    let [out, error] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text))
    // Most commands read nothing, and may have ended before.
    child.stdin.on('error', () => undefined).end(input)
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, out, error }
  }

  /** What it printed; throws if it fails. */
  async ok(...args: readonly string[]): Promise<string> {
    const { code, out, error } = await this.run(args)
    if (code !== 0) throw new Error(`etcdctl ${args.join(' ')} ended with ${code}: ${error}`)
    return out.trimEnd()
  }

  /** As `ok`, in etcd's JSON. */
  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.ok(...args, '-w', 'json')) as T
  }

  /** What it says why it fails: the line with "Error". */
  async refusal(...args: readonly string[]): Promise<string> {
    const { code, out, error } = await this.run(args)
    if (code === 0) throw new Error(`etcdctl ${args.join(' ')} did not fail: ${out}`)
    return error.split('\n').findLast((line) => line.startsWith('Error: ')) ?? error
  }

  /** Something that goes on until it is interrupted. */
  start(...args: readonly string[]): Running {
    const child = this.#spawn(args)
    const lines: string[] = []
    createInterface(child.stdout).on('line', (line) => lines.push(line))
    child.stderr.resume()
    const ended = once(child, 'close').then(([code]) => code as number | null)
    return {
      lines,
      ended,
      interrupt: () => void child.kill('SIGINT'),
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL')
        await ended
      },
    }
  }

  #spawn(args: readonly string[]) {
    return spawn(ETCDCTL, [...this.#args, ...args], { stdio: 'pipe', env: { ...process.env, ETCDCTL_API: '3' } })
  }
}
