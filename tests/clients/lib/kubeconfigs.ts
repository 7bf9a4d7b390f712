/** Other ways to be somebody than the administrator's certificate. */
import { writeFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'

/** Writes a kubeconfig whose user is as given (`token`, `tokenFile`, `exec` …); resolves with its path. `server`: instead of the cluster's. */
export async function kubeconfigOf(cluster: Cluster, user: object, server = cluster.url): Promise<string> {
  const certificateAuthority = { 'certificate-authority-data': Buffer.from(cluster.ca).toString('base64') }
  const file = join(cluster.dir, `kubeconfig-${crypto.randomUUID()}`)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster: { server, ...certificateAuthority } }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
    'current-context': 'context',
  }
  await writeFile(file, JSON.stringify(config), { mode: 0o600 })
  return file
}

/** Of a service account, good for an hour. */
export async function tokenOf({ client }: Cluster, namespace: string, name: string): Promise<string> {
  const answer = await client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }),
  })
  const text = (await buffer(answer.body)).toString()
  if (answer.status !== 201) throw new Error(`no token for ${namespace}/${name}: ${text}`)
  return (JSON.parse(text) as { status: { token: string } }).status.token
}
