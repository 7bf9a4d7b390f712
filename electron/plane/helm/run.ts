/** Runs a program and hears it line by line. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Clock } from '../../base/clock.ts'

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv
  readonly signal?: AbortSignal | undefined
  readonly clock: Clock
}

/** How long an interrupted program has to end by itself, in milliseconds. */
const GRACE = 15_000
/** Characters that are kept of what a program says when it is heard to its end. */
const MOST = 64 * 1024 * 1024

/**
 * Resolves with the exit code, or with null where a signal ended it. `heard` may return a promise: the program waits for it. When
 * the signal aborts, the program is interrupted, and killed if that does not end it.
 */
export async function runLines(
  path: string,
  args: readonly string[],
  { env, signal, clock }: RunOptions,
  heard: (line: string, error: boolean) => Promise<void> | void,
): Promise<number | null> {
  signal?.throwIfAborted()
  const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
  const interrupt = () => {
    child.kill('SIGINT')
    const last = clock.setTimeout(() => child.kill('SIGKILL'), GRACE)
    child.once('close', () => last[Symbol.dispose]())
  }
  signal?.addEventListener('abort', interrupt, { once: true })
  const hear = async (stream: NodeJS.ReadableStream, error: boolean) => {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      if (!signal?.aborted) await heard(line, error)
    }
  }
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    const [code] = await Promise.all([ended, hear(child.stdout, false), hear(child.stderr, true)])
    return code
  } finally {
    signal?.removeEventListener('abort', interrupt)
  }
}

export async function runToEnd(
  path: string,
  args: readonly string[],
  options: RunOptions,
): Promise<{ code: number | null; out: string; err: string }> {
  const said = { out: '', err: '' }
  const code = await runLines(path, args, options, (line, error) => {
    const to = error ? 'err' : 'out'
    if (said[to].length < MOST) said[to] += `${line}\n`
  })
  options.signal?.throwIfAborted()
  return { code, ...said }
}
