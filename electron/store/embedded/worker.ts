/** The module of the store's threads; each is told what it is for. */
import { parentPort, workerData } from 'node:worker_threads'
import { findDamage } from './checking.ts'
import { serveHistory } from './history/serve-history.ts'
import type { WorkerInit } from './protocol.ts'
import { serveWriting } from './writing.ts'

function serve(port: NonNullable<typeof parentPort>, init: WorkerInit): void {
  switch (init.role) {
    case 'write':
      return serveWriting(port, init)
    case 'history':
      return serveHistory(port, init)
    case 'check':
      return port.postMessage(findDamage(init.path))
  }
}

if (parentPort) serve(parentPort, workerData as WorkerInit)
