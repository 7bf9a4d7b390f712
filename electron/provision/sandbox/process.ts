/** Finding a process again after this program was started anew. Source: proc(5). */
import { readFile } from 'node:fs/promises'
import { systemCode } from '../../base/errors.ts'

/** A process by more than its number, which is given out again: with when it began, and in which run of this computer. */
export interface ProcessId {
  readonly pid: number
  /** Clock ticks after boot. */
  readonly startTime: string
  readonly bootId: string
}

/** "PID STARTTIME BOOTID"; null if it is not that. */
export function parseProcessId(text: string): ProcessId | null {
  const [, pid, startTime, bootId] = /^(\d+) (\d+) ([0-9a-f-]+)\n?$/.exec(text) ?? []
  return pid && startTime && bootId ? { pid: Number(pid), startTime, bootId } : null
}

/** Whether it still runs. A zombie does not. */
export async function isAlive({ pid, startTime, bootId }: ProcessId): Promise<boolean> {
  let stat: string
  try {
    if ((await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim() !== bootId) return false
    stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return false
    throw error
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[19] === startTime && fields[0] !== 'Z' && fields[0] !== 'X'
}
