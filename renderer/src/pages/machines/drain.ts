/** Draining a node: closing it, then asking for each pod's eviction until all that can go are gone. */
import { computed, onScopeDispose, reactive, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { drainFate, evictStep, losesData, setCordoned, type DrainFate } from '../../actions/nodes.ts'
import type { Step } from '../../actions/plan.ts'
import { isNotFound, failureOf, StatusFailure, type Failure } from '../../face/failure.ts'
import { t } from '../../i18n/index.ts'
import { after } from '../../time/clock.ts'

export interface DrainRow {
  readonly pod: Pod
  readonly fate: DrainFate
  /** Volumes whose content goes with it. */
  readonly loses: readonly string[]
  state: 'waiting' | 'asked' | 'blocked' | 'gone' | 'failed'
  why: string
}

export interface Drain {
  readonly rows: ComputedRef<readonly DrainRow[]>
  readonly going: ComputedRef<readonly DrainRow[]>
  readonly running: Readonly<Ref<boolean>>
  readonly finished: ComputedRef<boolean>
  readonly failure: Readonly<ShallowRef<Failure | null>>
  start(): Promise<void>
  /** Asks for no more evictions; those under way go on, and the node stays closed. */
  stop(): void
}

/** How long to wait before asking again for an eviction that a disruption budget put off, in milliseconds. */
const AGAIN_MS = 5000
const AT_ONCE = 5

export function useDrain(deps: {
  readonly node: () => string
  /** All pods, kept true. */
  readonly pods: () => readonly Pod[]
  readonly perform: (step: Step) => Promise<unknown>
}): Drain {
  const states = reactive(new Map<string, Pick<DrainRow, 'state' | 'why'>>())
  const planned = shallowRef<readonly Pod[] | null>(null)
  const running = ref(false)
  const failure = shallowRef<Failure | null>(null)
  const timers = new Set<Disposable>()
  let stopped = false

  const here = computed(() => deps.pods().filter((pod) => pod.spec.nodeName === deps.node()))
  const rows = computed(() => {
    const left = new Set(here.value.map((pod) => pod.metadata.uid))
    return (planned.value ?? here.value).map((pod): DrainRow => {
      const known = states.get(pod.metadata.uid)
      const gone = !left.has(pod.metadata.uid)
      return {
        pod,
        fate: drainFate(pod),
        loses: losesData(pod),
        state: gone ? 'gone' : (known?.state ?? 'waiting'),
        why: gone ? '' : (known?.why ?? ''),
      }
    })
  })
  const going = computed(() => rows.value.filter((row) => row.fate === 'moves' || row.fate === 'lost' || row.fate === 'over'))
  const finished = computed(() => planned.value !== null && going.value.every((row) => row.state === 'gone'))
  watch(finished, (done) => {
    if (done) running.value = false
  })

  async function evict(pod: Pod): Promise<void> {
    const { uid } = pod.metadata
    if (stopped) return
    try {
      await deps.perform(evictStep(pod))
      states.set(uid, { state: 'asked', why: '' })
    } catch (error) {
      if (isNotFound(error)) return
      if (error instanceof StatusFailure && error.httpStatus === 429) {
        states.set(uid, { state: 'blocked', why: error.message })
        const timer = after(AGAIN_MS, () => {
          timers.delete(timer)
          void evict(pod)
        })
        timers.add(timer)
      } else states.set(uid, { state: 'failed', why: error instanceof Error ? error.message : String(error) })
    }
  }
  function stop(): void {
    stopped = true
    running.value = false
    for (const timer of timers) timer[Symbol.dispose]()
    timers.clear()
  }
  onScopeDispose(stop)

  return {
    rows,
    going,
    running,
    finished,
    failure,
    stop,
    async start() {
      stopped = false
      running.value = true
      failure.value = null
      const cordon = setCordoned(deps.node(), true)
      try {
        for (const step of cordon.steps) await deps.perform(step)
      } catch (error) {
        failure.value = failureOf(error, cordon.failed)
        running.value = false
        return
      }
      planned.value ??= here.value
      const queue = going.value.filter((row) => row.state !== 'gone').map((row) => row.pod)
      const worker = async () => {
        for (let pod = queue.shift(); pod && !stopped; pod = queue.shift()) await evict(pod)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      if (going.value.some((row) => row.state === 'failed') && !going.value.some((row) => row.state === 'blocked')) {
        running.value = false
        failure.value = { code: 'STATUS', what: t('drain.someFailed'), why: '', next: t('drain.someFailedNext') }
      }
    },
  }
}
