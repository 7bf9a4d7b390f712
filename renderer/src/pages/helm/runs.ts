/** What Helm is doing for this window: it goes on while other pages are looked at. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { HelmOperation } from '../../../../electron/contracts/helm.ts'
import { useFace } from '../../face/index.ts'
import { failureOf, type Failure } from '../../face/failure.ts'
import { t } from '../../i18n/index.ts'
import { useToasts } from '../../stores/toasts.ts'
import { stopwatch } from '../../time/clock.ts'

export type Phase = 'prepare' | 'apply' | 'wait' | 'delete'

export interface HelmRun {
  readonly operation: HelmOperation
  readonly command: string
  readonly phase: Phase
  readonly detail: string
  /** On the stopwatch, when each phase was first entered. */
  readonly began: Readonly<Partial<Record<Phase, number>>>
  readonly lines: readonly { readonly error: boolean; readonly text: string }[]
  readonly state: 'running' | 'done' | 'failed' | 'cancelled'
  readonly failure: Failure | null
  readonly ended: number | null
}

/** Lines that are kept. */
const KEPT = 2000

export const useHelmRuns = defineStore('helm-runs', () => {
  const face = useFace()
  const toasts = useToasts()
  const run = shallowRef<HelmRun | null>(null)
  const open = ref(false)
  let abort = new AbortController()

  const change = (next: Partial<HelmRun>) => {
    if (run.value) run.value = { ...run.value, ...next }
  }
  const settle = (state: HelmRun['state'], failure: Failure | null = null) => change({ state, failure, ended: stopwatch() })

  async function start(operation: HelmOperation): Promise<boolean> {
    if (run.value?.state === 'running') return false
    abort = new AbortController()
    open.value = true
    const began = { prepare: stopwatch() }
    run.value = { operation, command: '', phase: 'prepare', detail: '', began, lines: [], state: 'running', failure: null, ended: null }
    const { type, name } = operation
    let code: number | null = null
    try {
      for await (const { value } of face.open('helm.run', operation, { signal: abort.signal })) {
        if (value.type === 'command') change({ command: value.command })
        else if (value.type === 'exit') code = value.code
        else if (value.type === 'line')
          change({ lines: [...(run.value?.lines ?? []), { error: value.error, text: value.text }].slice(-KEPT) })
        else change({ phase: value.phase, detail: value.detail, began: { [value.phase]: stopwatch(), ...run.value?.began } })
      }
      if (code === 0) {
        settle('done')
        toasts.show(t(`helm.done.${type}`, { name }))
        return true
      }
      const said = (run.value?.lines ?? []).filter((line) => line.error).map((line) => line.text.replace(/^Error: /, ''))
      const why = said.join('\n') || t('helm.failedWhy', { code: code ?? '?' })
      settle('failed', { code: 'HELM_FAILED', what: t(`helm.failed.${type}`, { name }), why, next: '' })
    } catch (error) {
      if (abort.signal.aborted) settle('cancelled')
      else settle('failed', failureOf(error, t(`helm.failed.${type}`, { name })))
    }
    return false
  }
  function cancel(): void {
    abort.abort(new DOMException('cancelled', 'AbortError'))
  }
  return { run, open, start, cancel }
})
