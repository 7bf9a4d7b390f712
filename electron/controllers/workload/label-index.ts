/** Finding objects of a namespace by labels without looking at all of them. */
import type { LabelSelector } from '../../api/meta/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Informer, Lister } from '../../client/informer.ts'

const BY_LABEL = 'by-label'

type Labels = Readonly<Record<string, string>>

/** Each controller that uses `havingLabels` asks for it of the informer that they share. */
export function indexByLabels<T extends KubeObject>(informer: Informer<T>): void {
  informer.addIndex(BY_LABEL, labelKeysOf)
}

export function labelKeysOf({ metadata }: KubeObject): string[] {
  return Object.entries(metadata.labels ?? {}).map(([key, value]) => labelKey(metadata.namespace, key, value))
}

export function labelKey(namespace: string | undefined, key: string, value: string): string {
  return `${namespace}/${key}=${value}`
}

/** All that have these labels, and others: those with the rarest of them. Without any label all of the namespace. */
export function havingLabels<T extends KubeObject>(lister: Lister<T>, namespace: string | undefined, labels: Labels): readonly T[] {
  let candidates: readonly T[] | null = null
  for (const [key, value] of Object.entries(labels)) {
    const having = lister.byIndex(BY_LABEL, labelKey(namespace, key, value))
    if (!candidates || having.length < candidates.length) candidates = having
  }
  return candidates ?? lister.list(namespace)
}

/** Labels that all must have whom the selector selects. */
export function demandedLabels({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Labels {
  const single = matchExpressions.flatMap(({ key, operator, values = [] }) => {
    const [value] = values
    return operator === 'In' && values.length === 1 && value !== undefined ? [[key, value] as const] : []
  })
  return { ...Object.fromEntries(single), ...matchLabels }
}
