/** What subjects used over time, as the plane tells it, read anew while somebody looks. */
import { onScopeDispose, shallowRef, toValue, watch, type MaybeRefOrGetter, type ShallowRef } from 'vue'
import type { ArgOf, ResultOf } from '../../../electron/contracts/channel.ts'
import type { Channels } from '../../../electron/contracts/channels.ts'
import { failureOf, isLost, type Failure } from '../face/failure.ts'
import { useFace } from '../face/index.ts'
import { t } from '../i18n/index.ts'
import { every } from '../time/clock.ts'

export type History = ResultOf<Channels['metrics.history']>
export type MetricsSubject = ArgOf<Channels['metrics.history']>['of'][number]
export type Range = ArgOf<Channels['metrics.history']>['range']

/** As often as the plane measures, milliseconds. */
const PACE = 15_000

/** A call of the plane that is made again as long as the scope lives and the page is seen. */
export function usePolled<T>(
  arg: () => unknown,
  ask: (signal: AbortSignal) => Promise<T>,
): { value: ShallowRef<T | null>; failure: ShallowRef<Failure | null> } {
  const value = shallowRef<T | null>(null)
  const failure = shallowRef<Failure | null>(null)
  let abort = new AbortController()
  const read = async () => {
    abort.abort()
    abort = new AbortController()
    const { signal } = abort
    try {
      const next = await ask(signal)
      if (signal.aborted) return
      value.value = next
      failure.value = null
    } catch (error) {
      // A lost connection is told elsewhere, and what is known stays.
      if (!signal.aborted && !isLost(error)) failure.value = failureOf(error, t('metrics.failed'))
    }
  }
  watch(
    () => JSON.stringify(arg()),
    () => void read(),
    { immediate: true },
  )
  const polling = every(PACE, () => void read())
  onScopeDispose(() => {
    polling[Symbol.dispose]()
    abort.abort()
  })
  return { value, failure }
}

export function useHistory(of: MaybeRefOrGetter<readonly MetricsSubject[]>, range: MaybeRefOrGetter<Range>) {
  const face = useFace()
  return usePolled<History>(
    () => [toValue(of), toValue(range)],
    (signal) => face.call('metrics.history', { of: [...toValue(of)], range: toValue(range) }, { signal }),
  )
}
