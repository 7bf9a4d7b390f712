/** A pod that runs here and that nobody knows any more: what its containers tell of it is enough to end it as it should be. */
import type { Container, Pod } from '../../../api/core/v1/types.gen.ts'
import { formatTime } from '../../../api/values/time.ts'
import type { RuntimePod } from '../pleg/runtime-pod.ts'
import { MESSAGE_PATH, PRE_STOP, TERMINATION_GRACE } from './names.ts'

export function podFromRuntime(runtime: RuntimePod, nodeName: string): Pod {
  const names = [...new Set(runtime.containers.map(({ name }) => name))]
  const containers = names.map((name): Container => {
    const newest = runtime.containers.find((container) => container.name === name)
    const preStop = parse(newest?.annotations[PRE_STOP])
    const messagePath = newest?.annotations[MESSAGE_PATH]
    return {
      name,
      image: newest?.image ?? '',
      resources: {},
      ...(preStop ? { lifecycle: { preStop } } : {}),
      ...(messagePath ? { terminationMessagePath: messagePath } : {}),
    }
  })
  const grace = Number(runtime.containers[0]?.annotations[TERMINATION_GRACE])
  const oldest = Math.min(...runtime.sandboxes.map(({ createdAt }) => createdAt), ...runtime.containers.map(({ createdAt }) => createdAt))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: runtime.name,
      namespace: runtime.namespace,
      uid: runtime.uid,
      resourceVersion: '0',
      creationTimestamp: formatTime(Number.isFinite(oldest) ? oldest : 0),
    },
    spec: { nodeName, containers, ...(Number.isInteger(grace) ? { terminationGracePeriodSeconds: grace } : {}) },
    status: {},
  }
}

function parse(json: string | undefined): NonNullable<Container['lifecycle']>['preStop'] | null {
  if (json === undefined) return null
  try {
    return JSON.parse(json) as NonNullable<Container['lifecycle']>['preStop']
  } catch {
    return null
  }
}
