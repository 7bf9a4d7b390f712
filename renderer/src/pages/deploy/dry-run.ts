/** Asks the API server what a manifest would do, a moment after it was last changed. */
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { Face } from '../../face/face.ts'
import { failureOf, type Failure } from '../../face/failure.ts'
import { t } from '../../i18n/index.ts'
import { debounced, wallClock } from '../../time/clock.ts'
import { applyOne, type Document, type Outcome } from './apply.ts'

const QUIET_MS = 400

export interface DryRun {
  readonly outcomes: Readonly<ShallowRef<readonly Outcome[]>>
  /** Whether the outcomes are of the text as it is now. */
  readonly current: ComputedRef<boolean>
  readonly checking: Readonly<Ref<boolean>>
  /** Milliseconds since the epoch; 0 before the first. */
  readonly checkedAt: Readonly<Ref<number>>
  readonly failure: Readonly<ShallowRef<Failure | null>>
  again(): void
}

export function useDryRun(deps: {
  readonly face: Face
  readonly text: () => string
  readonly documents: () => readonly Document[]
}): DryRun {
  const outcomes = shallowRef<readonly Outcome[]>([])
  const judged = ref('')
  const checking = ref(false)
  const checkedAt = ref(0)
  const failure = shallowRef<Failure | null>(null)
  let run = 0

  async function check(): Promise<void> {
    const own = ++run
    const text = deps.text()
    const documents = deps.documents()
    if (documents.length === 0) {
      outcomes.value = []
      checking.value = false
      return
    }
    checking.value = true
    try {
      const results = await Promise.all(documents.map((document) => applyOne(deps.face, document, { dryRun: true, force: false })))
      if (own !== run) return
      outcomes.value = results
      judged.value = text
      checkedAt.value = wallClock()
      failure.value = null
    } catch (error) {
      if (own === run) failure.value = failureOf(error, t('deploy.failed.dryRun'))
    } finally {
      if (own === run) checking.value = false
    }
  }
  const soon = debounced(QUIET_MS, () => void check())
  watch([deps.text, () => deps.documents().length], () => soon(), { immediate: true })
  onScopeDispose(() => {
    soon[Symbol.dispose]()
    run++
  })
  return { outcomes, current: computed(() => judged.value === deps.text()), checking, checkedAt, failure, again: () => void check() }
}
