/** Several live lists at once, as many as are asked for. */
import { computed, onScopeDispose, shallowRef, watch, type ComputedRef } from 'vue'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import type { LiveQuery, LiveState } from '../../kube/live-query.ts'
import type { Resource } from '../../kube/resources.ts'
import { useLiveStore } from '../../stores/live.ts'

export interface Wanted {
  readonly resource: Resource
  readonly namespace?: string | undefined
}

export interface LiveMany {
  /** Of the kind and namespace; empty while loading. */
  items(wanted: Wanted): readonly KubeObject[]
  readonly all: ComputedRef<readonly KubeObject[]>
  /** The worst of the lists: failed, then loading, then stale. */
  readonly state: ComputedRef<LiveState>
  readonly changedAt: ComputedRef<number>
}

const keyOf = ({ resource, namespace }: Wanted) => `${resource.group}/${resource.version}/${resource.resource}/${namespace ?? ''}`
const RANK = { failed: 0, loading: 1, stale: 2, live: 3 } as const

/** Ends with the scope. */
export function useLiveMany(wanted: () => readonly Wanted[]): LiveMany {
  const store = useLiveStore()
  const held = shallowRef<ReadonlyMap<string, { query: LiveQuery } & Disposable>>(new Map())
  watch(
    () => wanted().map(keyOf).toSorted().join(' '),
    () => {
      const before = held.value
      const next = new Map<string, { query: LiveQuery } & Disposable>()
      for (const each of wanted()) {
        const key = keyOf(each)
        if (!next.has(key)) next.set(key, before.get(key) ?? store.acquire(each.resource, { namespace: each.namespace }))
      }
      held.value = next
      for (const [key, old] of before) if (!next.has(key)) old[Symbol.dispose]()
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    for (const each of held.value.values()) each[Symbol.dispose]()
  })
  const queries = () => [...held.value.values()].map(({ query }) => query)
  return {
    items: (each) => held.value.get(keyOf(each))?.query.items.value ?? [],
    all: computed(() => queries().flatMap((query) => query.items.value)),
    state: computed(
      () =>
        queries()
          .map((query) => query.state.value)
          .toSorted((a, b) => RANK[a.phase] - RANK[b.phase])[0] ?? { phase: 'live' },
    ),
    changedAt: computed(() => Math.max(0, ...queries().map((query) => query.changedAt.value))),
  }
}
