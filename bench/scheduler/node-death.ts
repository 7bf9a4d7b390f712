/** How long the pods of a node that died are missing, from the moment at which it is given up. */
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import type { Toleration } from '../../electron/api/core/v1/types.gen.ts'
import { deferred } from '../../electron/base/async.ts'
import type { Client } from '../../electron/client/client.ts'
import type { HollowKubelets } from '../../tests/simulation/hollow-kubelets.ts'

/** For pods that shall go as soon as their node is given up. */
export const AT_ONCE = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key): Toleration => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 0,
}))

export interface Death {
  /** Pods that were on the node. */
  readonly pods: number
  /** Seconds from the NoExecute taint until as many others were bound. */
  readonly seconds: number
}

export async function killNode(client: Client, kubelets: HollowKubelets, name: string, namespace: string): Promise<Death> {
  const { items, metadata } = await client.list(podKind, { namespace })
  const lost = items.filter(({ spec }) => spec.nodeName === name).length
  const known = new Set(items.map(({ metadata: { uid } }) => uid))
  const stopping = new AbortController()
  const { signal } = stopping
  const [tainted, bound] = [deferred<number>(), deferred<number>()]
  const followPods = async () => {
    const replaced = new Set<string>()
    for await (const { object } of client.watch(podKind, { namespace, resourceVersion: metadata.resourceVersion ?? '', signal })) {
      if (!('spec' in object) || known.has(object.metadata.uid) || !object.spec.nodeName) continue
      replaced.add(object.metadata.uid)
      if (replaced.size === lost) return bound.resolve(performance.now())
    }
  }
  const followNode = async () => {
    for await (const { object } of client.watch(nodeKind, { fieldSelector: `metadata.name=${name}`, signal })) {
      if ('spec' in object && object.spec.taints?.some(({ effect }) => effect === 'NoExecute')) return tainted.resolve(performance.now())
    }
  }
  void followPods().catch((error: unknown) => bound.reject(error))
  void followNode().catch((error: unknown) => tainted.reject(error))
  kubelets.silence(name)
  try {
    const [from, to] = await Promise.all([tainted.promise, bound.promise])
    return { pods: lost, seconds: Math.max(0, to - from) / 1000 }
  } finally {
    stopping.abort()
  }
}
