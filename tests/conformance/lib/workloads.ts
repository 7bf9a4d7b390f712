/** Workloads whose pods really run. */
import { pod } from '../../../electron/api/kinds.gen.ts'
import type { Pod, PodSpec } from '../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../electron/api/meta/v1/object.ts'
import { eventually, type BehaviourContext } from './behaviour.ts'
import { isReady, serving } from './running.ts'

/** Labels, selector and template of pods that serve. */
export function servingSet(context: BehaviourContext, labels: Record<string, string>, more: Draft<PodSpec> = {}) {
  const spec = { terminationGracePeriodSeconds: 1, containers: [serving(context)], ...more }
  return { labels, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } }
}

export const selectorOf = (labels: Record<string, string>) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

/** The pods with these labels, in this test's namespace, that are not being deleted. */
export async function podsOf({ client, namespace }: BehaviourContext, labels: Record<string, string>): Promise<Pod[]> {
  const { items } = await client.list(pod, { namespace, labelSelector: selectorOf(labels) })
  return items.filter(({ metadata }) => !metadata.deletionTimestamp)
}

/** These pods, as soon as there are exactly so many and all are ready. */
export function untilReady(context: BehaviourContext, labels: Record<string, string>, count: number): Promise<Pod[]> {
  return eventually(context.signal, `${count} pods of ${selectorOf(labels)} are ready`, async () => {
    const pods = await podsOf(context, labels)
    return pods.length === count && pods.every(isReady) ? pods : null
  })
}
