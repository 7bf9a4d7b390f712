/** The distribution's programs (`ip`, `bridge`, `nft`), run to their end. */
import { execFile } from 'node:child_process'

export interface Commands {
  /** What the program wrote to its standard output. Throws CommandError if it fails, is missing or takes longer than 30 seconds. */
  run(program: string, args: readonly string[], input?: string): Promise<string>
}

export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly program: string
  /** Of the program; null if it did not run to its end. */
  readonly exitCode: number | null
  readonly stderr: string

  constructor(program: string, exitCode: number | null, stderr: string, cause?: unknown) {
    super(`${program} failed: ${stderr.trim() || `exit code ${exitCode}`}`, { cause })
    this.program = program
    this.exitCode = exitCode
    this.stderr = stderr
  }
}

const TIMEOUT = 30_000
const MOST_OUTPUT = 64 << 20

/** Messages of programs are matched against, so they must not be translated; and services are started with short paths. */
export function commandEnvironment(): NodeJS.ProcessEnv {
  const { PATH = '' } = process.env
  return { ...process.env, LC_ALL: 'C', PATH: `${PATH}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` }
}

export const systemCommands: Commands = {
  run: (program, args, input) =>
    new Promise((resolve, reject) => {
      const options = { env: commandEnvironment(), timeout: TIMEOUT, maxBuffer: MOST_OUTPUT, killSignal: 'SIGKILL' } as const
      const child = execFile(program, [...args], options, (error, stdout, stderr) => {
        if (!error) return resolve(stdout)
        const code = typeof error.code === 'number' ? error.code : null
        const why = error.killed ? `it took longer than ${TIMEOUT / 1000} s` : stderr || (code === null ? error.message : '')
        reject(new CommandError([program, ...args].join(' '), code, why, error))
      })
      // A program that ends before it has read everything says why by its exit code.
      child.stdin?.on('error', () => undefined)
      child.stdin?.end(input ?? '')
    }),
}
