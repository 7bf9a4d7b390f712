/** How far the end of a namespace has come, for those who wait for it. Source: kubernetes `namespace/deletion/status_condition_utils.go`. */
import { groupResource, type AnyKind } from '../../api/kind.ts'
import type { NamespaceCondition } from '../../api/core/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { messageOf } from '../../base/errors.ts'
import { setCondition } from '../../machinery/conditions.ts'
import type { Remainder } from './content.ts'

export interface Progress {
  /** By group and version, or "" for all of them. */
  readonly undiscovered: ReadonlyMap<string, unknown>
  readonly failed: ReadonlyMap<AnyKind, unknown>
  readonly remaining: readonly Remainder[]
}

interface Finding {
  readonly type: string
  /** Reason and message while all is well. */
  readonly well: readonly [reason: string, message: string]
  readonly wrong: string
  /** Null while all is well. */
  readonly trouble: (progress: Progress) => string | null
}

const FINDINGS: readonly Finding[] = [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    well: ['ResourcesDiscovered', 'All resources successfully discovered'],
    wrong: 'DiscoveryFailed',
    trouble: ({ undiscovered }) =>
      undiscovered.size === 0
        ? null
        : `Discovery failed for some groups, ${undiscovered.size} failing: ${listed([...undiscovered], ([at, error]) => (at ? `${at}: ${messageOf(error)}` : messageOf(error)))}`,
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    well: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    wrong: 'GroupVersionParsingFailed',
    trouble: () => null,
  },
  {
    type: 'NamespaceDeletionContentFailure',
    well: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    wrong: 'ContentDeletionFailed',
    trouble: ({ failed }) =>
      failed.size === 0
        ? null
        : `Failed to delete all resource types, ${failed.size} remaining: ${listed([...failed], ([kind, error]) => `${groupResource(kind)}: ${messageOf(error)}`)}`,
  },
  {
    type: 'NamespaceContentRemaining',
    well: ['ContentRemoved', 'All content successfully removed'],
    wrong: 'SomeResourcesRemain',
    trouble: ({ remaining }) =>
      remaining.length === 0
        ? null
        : `Some resources are remaining: ${listed(remaining, ({ kind, count }) => `${kind.resource}.${kind.group} has ${count} resource instances`)}`,
  },
  {
    type: 'NamespaceFinalizersRemaining',
    well: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    wrong: 'SomeFinalizersRemain',
    trouble: ({ remaining }) => {
      const held = new Map<string, number>()
      for (const { finalizers } of remaining) for (const [name, count] of finalizers) held.set(name, (held.get(name) ?? 0) + count)
      if (held.size === 0) return null
      return `Some content in the namespace has finalizers remaining: ${listed([...held], ([name, count]) => `${name} in ${count} resource instances`)}`
    },
  },
]

/** All conditions of a namespace that ends; the same list if nothing changed. `now` in milliseconds since the epoch. */
export function deletionConditions(
  before: readonly NamespaceCondition[] | undefined,
  progress: Progress,
  now: number,
): readonly NamespaceCondition[] {
  let conditions = before ?? []
  for (const { type, well, wrong, trouble } of FINDINGS) {
    const found = trouble(progress)
    const [reason, message] = found === null ? well : [wrong, found]
    conditions = setCondition(conditions, { type, status: found === null ? 'False' : 'True', reason, message }, formatTime(now))
  }
  return conditions
}

function listed<T>(items: readonly T[], text: (item: T) => string): string {
  return items.map(text).sort().join(', ')
}
