import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import type { Line } from './writer-process.ts'

export interface WriterChild {
  readonly pid: number | undefined
  /** Resolves when it has told more than so many bytes. */
  hasTold(bytes: number): Promise<void>
  /** Kills it at once; resolves with what it told, and the signal that ended it. */
  kill(): Promise<{ readonly lines: readonly Line[]; readonly signal: unknown }>
}

/** Runs `writer-process.ts`, which tells into the file `told` of the folder, where nothing is lost when it is killed. */
export function startWriter(dir: string, seed: number, from: number): WriterChild {
  const told = join(dir, 'told')
  const output = openSync(told, 'w')
  const args = [join(import.meta.dirname, 'writer-process.ts'), dir, String(seed), String(from)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', output, 'inherit'] })
  const exited = once(child, 'exit')
  closeSync(output)
  return {
    pid: child.pid,
    async hasTold(bytes) {
      while (child.exitCode === null && statSync(told).size <= bytes) await sleep(systemClock, 2)
    },
    async kill() {
      child.kill('SIGKILL')
      const [, signal] = (await exited) as unknown[]
      const lines = readFileSync(told, 'utf8').split('\n')
      return { lines: lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Line), signal }
    },
  }
}
