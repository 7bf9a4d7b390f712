/** QEMU as a process that belongs to no process of the app: started in a session of its own, and found again by its folder. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep, type Clock } from '../../base/clock.ts'
import { messageOf, systemCode } from '../../base/errors.ts'
import { CLEAN_ENV, run } from '../sandbox/run.ts'
import { FILES } from './command-line.ts'
import { Qmp } from './qmp.ts'

/** QEMU ended before it could be talked to; `message` is what it said. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError'
}

/** The process that runs this machine: the PID in its folder, if that is a QEMU with this UUID and not something that got the number later. */
export async function findQemu(folder: string, uuid: string): Promise<number | null> {
  const text = await readFile(join(folder, FILES.pid), 'utf8').catch(() => '')
  const pid = Number(text.trim())
  if (!Number.isInteger(pid) || pid <= 1) return null
  return (await commandLine(pid)).includes(uuid) ? pid : null
}

/** Empty if it is gone; also for one that ended and was not collected yet. */
async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return await run('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => '')
}

/** Starts QEMU in the folder and resolves with a connection once it can be talked to. Throws LaunchError. */
export async function launchQemu(
  program: string,
  args: readonly string[],
  options: { folder: string; qmpSocket: string; clock: Clock; signal: AbortSignal },
): Promise<Qmp> {
  const { folder, qmpSocket, clock, signal } = options
  const errors = join(folder, FILES.errors)
  await rm(qmpSocket, { force: true })
  await rm(join(folder, FILES.pid), { force: true })
  const log = openSync(errors, 'w', 0o600)
  let ended: string | null = null
  try {
    const child = spawn(program, args, { cwd: folder, detached: true, stdio: ['ignore', log, log], env: CLEAN_ENV })
    child.on('error', (error) => (ended = messageOf(error)))
    child.on('exit', (code, by) => (ended ??= `it ended with ${code ?? by}`))
    child.unref()
  } finally {
    closeSync(log)
  }
  for (;;) {
    try {
      return await Qmp.connect(qmpSocket, { clock, signal })
    } catch (error) {
      signal.throwIfAborted()
      if (!['ENOENT', 'ECONNREFUSED'].includes(systemCode(error) ?? '') && ended === null) throw error
    }
    if (ended !== null) {
      const said = (await readFile(errors, 'utf8')).trim().split('\n').slice(-3).join('; ')
      throw new LaunchError(said || ended)
    }
    await sleep(clock, 20, signal)
  }
}

/** Resolves true when it is gone, false if it still runs after `ms`. */
export async function untilEnded(
  folder: string,
  uuid: string,
  options: { clock: Clock; ms: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const { clock, ms, signal } = options
  const start = clock.monotonic()
  while (await findQemu(folder, uuid)) {
    if (clock.monotonic() - start > ms) return false
    await sleep(clock, 50, signal)
  }
  return true
}
