import { readFile } from 'node:fs/promises'
import type { Clock } from '../base/clock.ts'
import { FlotillaError, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import { createEmbeddedStore } from '../store/embedded/embedded-store.ts'
import type { Store } from '../store/store.ts'
import type { PlaneConfig } from './config.ts'
import { paths } from './state-dir.ts'

type StoreConfig = Pick<PlaneConfig, 'stateDir' | 'storeWorkerUrl' | 'etcd' | 'quotaBytes' | 'historyBytes'>

/** Where the cluster's objects are: in the state folder, or in an etcd cluster. */
export async function openStore(
  { stateDir, storeWorkerUrl, etcd, quotaBytes, historyBytes }: StoreConfig,
  deps: { clock: Clock; random: Random; logger: Logger },
): Promise<Store> {
  if (!etcd) {
    const limits = { ...(quotaBytes === undefined ? {} : { quotaBytes }), ...(historyBytes === undefined ? {} : { historyBytes }) }
    return await createEmbeddedStore({ ...deps, ...limits, dir: paths(stateDir).store, workerUrl: new URL(storeWorkerUrl) })
  }
  const { clock, logger } = deps
  // Few clusters need it, and its libraries take long to load.
  const { createRemoteStore } = await import('../store/remote/remote-store.ts')
  const [ca, cert, key] = await Promise.all([etcd.caFile, etcd.certFile, etcd.keyFile].map(readPem))
  return await createRemoteStore({ endpoints: etcd.endpoints, tls: { ca, cert, key }, clock, logger })
}

async function readPem(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new FlotillaError('INVALID_INPUT', {
      what: `The file ${file}, which the connection to etcd needs, cannot be read.`,
      why: `${messageOf(error)}.`,
      next: 'Name a PEM file that exists and that you may read.',
      cause: error,
    })
  }
}
