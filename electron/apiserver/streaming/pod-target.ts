/** Which node and container a request for a pod's stream is for. Source: kubernetes registry/core/pod strategy (LogLocation, ExecLocation). */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Client } from '../../client/client.ts'
import { badRequest } from '../../machinery/status.ts'
import type { ConnectTarget } from '../types.ts'

export interface PodTarget {
  readonly pod: Pod
  /** "" while the pod is on no node. */
  readonly node: string
}

/** Throws Status 404. */
export async function findPod(client: Client, { namespace, name }: ConnectTarget, signal: AbortSignal): Promise<PodTarget> {
  const pod = await client.get(podKind, { namespace, name }, { signal })
  return { pod, node: pod.spec.nodeName ?? '' }
}

/** The container that was asked for, or the only one. Throws Status 400 in upstream's words. */
export function containerOf({ metadata: { name }, spec }: Pod, asked: string | null): string {
  const names = (list: readonly { name: string }[] | undefined) => (list ?? []).map((container) => container.name)
  const [main, init, ephemeral] = [names(spec.containers), names(spec.initContainers), names(spec.ephemeralContainers)]
  if (asked) {
    if ([...main, ...init, ...ephemeral].includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${name}`)
  }
  const [only, ...more] = main
  if (only && !more.length) return only
  const others = init.length ? ` or one of the init containers: [${init.join(' ')}]` : ''
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${main.join(' ')}]${others}`)
}
