import { systemClock } from '../../../electron/base/clock.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { Client } from '../../../electron/client/client.ts'
import { EVENT } from './cluster.ts'

/** Records an event about an object, as an event recorder does. */
export async function tell(
  client: Client,
  about: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  source: string,
): Promise<void> {
  const at = `${new Date(systemClock.now()).toISOString().slice(0, 19)}Z`
  const { name, uid, resourceVersion, namespace = 'default' } = about.metadata
  await client.create(EVENT, {
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name,
      uid,
      resourceVersion,
      ...(about.metadata.namespace ? { namespace } : {}),
    },
    type,
    reason,
    message,
    source: { component: source },
    reportingComponent: source,
    reportingInstance: 'fake',
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  })
}
