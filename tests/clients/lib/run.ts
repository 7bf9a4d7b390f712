/** Other people's programs, with their output. */
import { spawn } from 'node:child_process'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly input?: string
  /** Instead of this process's environment, but for PATH. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Runs a program to its end; it is killed after two minutes. */
export function run(command: string, args: readonly string[], { input = '', env = {}, cwd }: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const { PATH = '' } = process.env
    const child = spawn(command, args, { env: { PATH, ...env }, timeout: 120_000, ...(cwd === undefined ? {} : { cwd }) })
    let out = ''
    let err = ''
    child.stdout.on('data', (part) => (out += String(part)))
    child.stderr.on('data', (part) => (err += String(part)))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, out, err }))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
