/** Which workload a pod is of, asked once for each pod. */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Client } from '../../client/client.ts'

const HASH = 'pod-template-hash'

/** "NAMESPACE/Kind/NAME"; the Deployment rather than its ReplicaSet. Null for a pod that nothing made. */
export function workloadOf({ metadata }: Pick<Pod, 'metadata'>): string | null {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (!owner) return null
  const hash = metadata.labels?.[HASH]
  const isDeployment = owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)
  const [kind, name] = isDeployment ? ['Deployment', owner.name.slice(0, -hash.length - 1)] : [owner.kind, owner.name]
  return `${metadata.namespace}/${kind}/${name}`
}

export class Owners {
  readonly #client: Pick<Client, 'list'>
  #known = new Map<string, string | null>()

  constructor(client: Pick<Client, 'list'>) {
    this.#client = client
  }

  /** Reads the pods anew if one of these is not known yet. */
  async learn(uids: readonly string[], signal: AbortSignal): Promise<void> {
    if (uids.every((uid) => this.#known.has(uid))) return
    const { items } = await this.#client.list(podKind, { signal })
    this.#known = new Map(items.map((pod) => [pod.metadata.uid, workloadOf(pod)]))
    // Those that an agent still tells of, but the API server no more, need no second look.
    for (const uid of uids) if (!this.#known.has(uid)) this.#known.set(uid, null)
  }

  of(uid: string): string | null {
    return this.#known.get(uid) ?? null
  }
}
