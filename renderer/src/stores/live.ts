/** Live lists, one stream for each query however many look at it; a stream ends a little after the last look. */
import { defineStore } from 'pinia'
import { computed, onScopeDispose, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter, type ShallowRef } from 'vue'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { useFace } from '../face/index.ts'
import { LiveQuery, type LiveList, type LiveSelection, type LiveState } from '../kube/live-query.ts'
import type { Resource } from '../kube/resources.ts'
import { after } from '../time/clock.ts'

/** Milliseconds that a stream outlives its last viewer, so that going back and forth between pages costs nothing. */
const LINGER_MS = 15_000

interface Shared {
  readonly query: LiveQuery
  viewers: number
  ending: Disposable | null
}

export const useLiveStore = defineStore('live', () => {
  const face = useFace()
  const shared = new Map<string, Shared>()

  function acquire(resource: Resource, selection: LiveSelection): { query: LiveQuery } & Disposable {
    const { group, version, resource: plural } = resource
    const key = JSON.stringify([group, version, plural, selection.namespace, selection.labelSelector, selection.fieldSelector])
    let entry = shared.get(key)
    if (!entry) shared.set(key, (entry = { query: new LiveQuery(face, resource, selection), viewers: 0, ending: null }))
    const held = entry
    held.viewers++
    held.ending?.[Symbol.dispose]()
    let released = false
    return {
      query: held.query,
      [Symbol.dispose]() {
        if (released) return
        released = true
        if (--held.viewers > 0) return
        held.ending = after(LINGER_MS, () => {
          held.query[Symbol.dispose]()
          shared.delete(key)
        })
      },
    }
  }
  return { acquire, openQueries: () => shared.size }
})

export interface Live<T extends KubeObject> {
  readonly items: ComputedRef<readonly T[]>
  readonly state: ComputedRef<LiveState>
  readonly changedAt: ComputedRef<number>
  byUid(uid: string): T | undefined
}

const LOADING: LiveState = { phase: 'loading' }

/**
 * The live list of a kind. `selection` may change, which changes the stream; null means: nothing for now. Ends with the scope.
 */
export function useLive<T extends KubeObject>(
  resource: MaybeRefOrGetter<Resource>,
  selection: MaybeRefOrGetter<LiveSelection | null> = {},
): Live<T> {
  const store = useLiveStore()
  const current: ShallowRef<LiveList | null> = shallowRef(null)
  let held: Disposable | null = null
  watch(
    () => JSON.stringify([toValue(resource), toValue(selection)]),
    () => {
      const next = toValue(selection)
      const before = held
      const acquired = next ? store.acquire(toValue(resource), next) : null
      held = acquired
      current.value = acquired?.query ?? null
      before?.[Symbol.dispose]()
    },
    { immediate: true },
  )
  onScopeDispose(() => held?.[Symbol.dispose]())
  return {
    items: computed(() => (current.value?.items.value ?? []) as readonly T[]),
    state: computed(() => current.value?.state.value ?? LOADING),
    changedAt: computed(() => current.value?.changedAt.value ?? 0),
    byUid: (uid) => current.value?.byUid(uid) as T | undefined,
  }
}

/** One object by name, kept true; undefined while loading and when it is not there: `state` tells which. */
export function useLiveObject<T extends KubeObject>(
  resource: MaybeRefOrGetter<Resource>,
  at: MaybeRefOrGetter<{ namespace?: string | undefined; name: string } | null>,
): Live<T> & { readonly object: ComputedRef<T | undefined> } {
  const live = useLive<T>(resource, () => {
    const to = toValue(at)
    return to && { namespace: to.namespace, fieldSelector: `metadata.name=${to.name}` }
  })
  const object = computed(() => {
    const to = toValue(at)
    return live.items.value.find((o) => o.metadata.name === to?.name && (!to.namespace || o.metadata.namespace === to.namespace))
  })
  return { ...live, object }
}
