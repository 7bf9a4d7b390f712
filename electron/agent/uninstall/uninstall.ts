/** Takes this machine out of the cluster from within: nobody needs to know its root password for that. */
import { spawn } from 'node:child_process'
import type { Clock } from '../../base/clock.ts'
import { deadline } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Route } from '../server/agent-server.ts'

export interface UninstallDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Ends all pods and removes their containers. */
  readonly endPods: (signal: AbortSignal) => Promise<void>
  /** Removes everything else, this program included. It must go on when its caller is gone. */
  readonly removeAll: () => void
}

/** Milliseconds for pods to end; what takes longer ends with its containers' runtime. */
const PATIENCE = 20_000

/** `POST /flotilla/v1/uninstall`: answers 202, then does it. Asked again, it goes on with what it does. */
export function uninstallRoute({ clock, logger, endPods, removeAll }: UninstallDeps): Route {
  let running: Promise<void> | null = null
  const run = async () => {
    logger.info('this machine is taken out of the cluster')
    using limit = deadline(clock, PATIENCE)
    try {
      await endPods(limit.signal)
    } catch (error) {
      logger.warn('some pods did not end in time', { error: messageOf(error) })
    }
    removeAll()
  }
  return {
    method: 'POST',
    path: '/flotilla/v1/uninstall',
    async handle(_request, response) {
      running ??= run()
      response.writeHead(202, { 'content-type': 'text/plain; charset=utf-8' }).end('removing\n')
    },
  }
}

/** A session of its own, so that it outlives this process and whoever keeps it alive. */
export function detached(script: string): () => void {
  return () => spawn(script, [], { detached: true, stdio: 'ignore' }).unref()
}
