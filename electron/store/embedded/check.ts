import { Worker } from 'node:worker_threads'
import { StoreError } from '../store.ts'
import type { CheckerInit } from './protocol.ts'

/**
 * What is damaged in the database at `path`, found in a thread of its own. Rejects with StoreError `closed` when `signal` is aborted,
 * `unavailable` if the thread ends early.
 */
export function checkInThread(url: URL, path: string, signal: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const workerData: CheckerInit = { role: 'check', path }
    const worker = new Worker(url, { workerData, name: 'store-check', execArgv: [] })
    const onAbort = () => {
      reject(new StoreError('closed', 'the store is closed'))
      void worker.terminate()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    worker.on('message', (found: readonly string[]) => resolve(found))
    worker.on('error', (error) =>
      reject(new StoreError('unavailable', `The store could not be checked: ${error.message}.`, { cause: error })),
    )
    worker.on('exit', () => {
      signal.removeEventListener('abort', onAbort)
      reject(new StoreError('unavailable', 'The store could not be checked: the thread for it ended.'))
    })
  })
}
