/** Objects as a cluster in use has them. */
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { pod } from '../../electron/api/core/v1/pod.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { readKubeconfig } from '../../electron/client/kubeconfig.ts'
import { createRemoteClient, type RemoteClient } from '../../electron/client/remote-client.ts'

const AT_ONCE = 16

async function connect(kubeconfig: string): Promise<RemoteClient> {
  const { server, ca = '', identity } = await readKubeconfig(kubeconfig)
  return createRemoteClient({ server, ca, identity: () => identity, clock: systemClock })
}

/** Makes `count` objects, half of them pods that no node takes. */
export async function fill(kubeconfig: string, count: number, prefix = 'object'): Promise<void> {
  await using client = await connect(kubeconfig)
  let next = 0
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await make(client, `${prefix}-${i}`, i)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function make(client: RemoteClient, name: string, i: number): Promise<void> {
  const labels = { app: `app-${i % 100}` }
  if (i % 2) await client.create(configMap, { metadata: { namespace: 'default', name, labels }, data: { text: 'x'.repeat(500) } })
  else
    await client.create(pod, {
      metadata: { namespace: 'default', name, labels },
      spec: {
        schedulerName: 'none',
        containers: [{ name: 'main', image: 'registry.example/team/service:1.2.3', ports: [{ containerPort: 80 }] }],
      },
    })
}
