/** Programs of this computer. */
import { spawn } from 'node:child_process'

export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly stderr: string

  constructor(command: string, code: number | string | null, stderr: string) {
    super(`${command} ended with ${code}: ${stderr.trim()}`)
    this.stderr = stderr
  }
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
export const CLEAN_ENV: Readonly<NodeJS.ProcessEnv> = { PATH, LC_ALL: 'C' }

/** Runs a program to its end and returns what it printed. Throws CommandError if it cannot be started or fails. */
export function run(command: string, args: readonly string[], options: { input?: string; signal?: AbortSignal } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: CLEAN_ENV, ...(options.signal ? { signal: options.signal } : {}) })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out).toString())
      else reject(new CommandError(`${command} ${args.join(' ')}`, code ?? signal, Buffer.concat(err).toString()))
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}
