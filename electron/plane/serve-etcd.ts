/** The store as an etcd, for etcdctl and other clients of etcd. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Pki } from '../apiserver/pki/pki.ts'
import type { Clock } from '../base/clock.ts'
import { startIn } from '../base/lifecycle.ts'
import type { Logger } from '../base/logger.ts'
import type { Store } from '../store/store.ts'
import type { ServedEtcd } from './config.ts'
import { paths, replaceFile, type ClusterFile } from './state-dir.ts'

/**
 * Who reads the store reads every secret, and who writes it goes round every rule of the API server. So it takes a certificate that may do
 * everything in the cluster anyway; those of nodes and of other users are of the same CA, and are refused.
 */
const ORGANIZATION = 'system:masters'
const CLIENT = { commonName: 'etcd-client', organizations: [ORGANIZATION] }

export interface ServeEtcdDeps {
  readonly store: Store
  readonly pki: Pki
  readonly cluster: ClusterFile
  readonly stateDir: string
  readonly clock: Clock
  readonly logger: Logger
}

/** Begins to serve, and writes a client's certificate and key into the state folder. Rejects with FlotillaError `ADDRESS_IN_USE`. */
export async function serveEtcd(port: number, deps: ServeEtcdDeps, stack: AsyncDisposableStack): Promise<ServedEtcd> {
  const { store, pki, cluster, stateDir, clock, logger } = deps
  // Loaded only here, as few serve it.
  const { createEtcdFace } = await import('../store/etcd/etcd-face.ts')
  const face = createEtcdFace({
    ...{ store, clock, logger },
    listen: { port },
    tls: { serving: pki.serving, clientCa: pki.caPem, organization: ORGANIZATION },
    identity: { clusterId: idOf(cluster.id), memberId: idOf(`${cluster.id}/member`), name: cluster.name },
  })
  await startIn(stack, face)
  const dir = paths(stateDir).pki
  const files = { caFile: join(dir, 'ca.crt'), certFile: join(dir, 'etcd-client.crt'), keyFile: join(dir, 'etcd-client.key') }
  const { cert, key } = await pki.issueClient(CLIENT)
  await replaceFile(files.certFile, cert)
  await replaceFile(files.keyFile, key)
  return { url: face.url, ...files }
}

/** A number that is not 0, and always the same for the same text. */
function idOf(text: string): bigint {
  return createHash('sha256').update(text).digest().readBigUInt64BE() | 1n
}
