/** A log's files, held open: neither setting aside nor dropping can take them from who reads them. */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { systemCode } from '../../../base/errors.ts'
import { logFilesOf } from '../../kubelet/gc/log-files.ts'

export interface OpenLog extends AsyncDisposable {
  readonly handle: FileHandle
  /** What stays when it gets another name. */
  readonly inode: number
}

/** All of them as they are at one moment, oldest first; the last is the one that is written, or was until just now. */
export async function openLogs(path: string): Promise<OpenLog[]> {
  for (;;) {
    const names = await logFilesOf(path)
    await using opened = new AsyncDisposableStack()
    const logs: OpenLog[] = []
    for (const name of names) {
      const log = await openLog(name)
      if (log) logs.push(opened.use(log))
    }
    // A name that came or went meanwhile may have been another file when it was opened.
    const unchanged = logs.length === names.length && (await logFilesOf(path)).join('\n') === names.join('\n')
    if (!unchanged) continue
    opened.move()
    return logs
  }
}

/** What was written after `log`; all there is, if that was dropped. */
export async function openLogsAfter(log: OpenLog, path: string): Promise<OpenLog[]> {
  const logs = await openLogs(path)
  const known = logs.splice(0, logs.findIndex(({ inode }) => inode === log.inode) + 1)
  await closeLogs(known)
  return logs
}

export async function closeLogs(logs: readonly OpenLog[]): Promise<void> {
  await Promise.all(logs.map((log) => log[Symbol.asyncDispose]()))
}

/** Null if it is not there. */
async function openLog(path: string): Promise<OpenLog | null> {
  try {
    const handle = await open(path)
    const { ino } = await handle.stat()
    return { handle, inode: ino, [Symbol.asyncDispose]: () => handle.close() }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}
