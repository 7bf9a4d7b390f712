/** Sets logs aside when they are full, and drops the oldest. Source: kubernetes `kubelet/logs`. */
import { rename, rm } from 'node:fs/promises'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Cri } from '../../runtime/cri.ts'
import type { PodCache } from '../pleg/pod-cache.ts'
import { runningContainers } from '../pleg/runtime-pod.ts'
import { logFilesOf, rotatedName, sizeOf } from './log-files.ts'

export interface LogRotationOptions {
  /** Bytes after which a file is full. */
  readonly maxSize: number
  /** Files of one container, the current one included. */
  readonly maxFiles: number
}

export const LOG_ROTATION: LogRotationOptions = { maxSize: 10 << 20, maxFiles: 5 }

export interface LogRotationDeps {
  readonly cri: Cri
  readonly cache: PodCache
  readonly clock: Clock
  readonly logger: Logger
}

export async function rotateLogs(deps: LogRotationDeps, { maxSize, maxFiles }: LogRotationOptions = LOG_ROTATION): Promise<void> {
  const { cri, cache, clock, logger } = deps
  for (const pod of cache.list()) {
    for (const { id, logPath } of runningContainers(pod)) {
      if ((await sizeOf(logPath)) < maxSize) continue
      const aside = rotatedName(logPath, clock.now())
      try {
        await rename(logPath, aside)
        await cri.reopenLog(id)
        const files = await logFilesOf(logPath)
        for (const file of files.slice(0, Math.max(0, files.length - maxFiles))) await rm(file, { force: true })
      } catch (error) {
        // The runtime still writes to the file that was renamed: it goes on under its name.
        await rename(aside, logPath).catch(() => undefined)
        logger.warn('a log could not be rotated', { container: id, error: messageOf(error) })
      }
    }
  }
}
