/** Carries out plans, remembers their calls for who wants to see them, and keeps what went wrong until it is read. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { Plan, Step } from '../actions/plan.ts'
import { useFace } from '../face/index.ts'
import { failureOf, type Failure } from '../face/failure.ts'
import { send } from '../kube/api.ts'
import { stopwatch, wallClock } from '../time/clock.ts'
import { useToasts } from './toasts.ts'

export interface MadeCall extends Step {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** How long it took, in milliseconds. */
  readonly took: number
  readonly failure: Failure | null
}

export interface Problem {
  readonly id: number
  readonly failure: Failure
  /** Tries the same again, from the step that failed. */
  readonly retry: () => Promise<boolean>
}

const REMEMBERED = 100

export const useActions = defineStore('actions', () => {
  const face = useFace()
  const toasts = useToasts()
  const calls = shallowRef<readonly MadeCall[]>([])
  const problems = shallowRef<readonly Problem[]>([])
  const running = shallowRef(0)
  let nextId = 1

  /** One call; throws what it fails with. */
  async function perform<T = unknown>(step: Step): Promise<T> {
    const began = stopwatch()
    let failure: Failure | null = null
    try {
      return (await send<T>(face, step.call)).body
    } catch (error) {
      failure = failureOf(error, '')
      throw error
    } finally {
      const made = { ...step, at: wallClock(), took: stopwatch() - began, failure }
      calls.value = [made, ...calls.value].slice(0, REMEMBERED)
    }
  }

  /** The failure of the step that failed, and which it was; null if all went well. */
  async function attempt(plan: Plan, from = 0): Promise<{ failure: Failure | null; step: number } | null> {
    running.value++
    try {
      for (const [index, step] of plan.steps.entries()) {
        if (index < from) continue
        try {
          await perform(step)
        } catch (error) {
          return { failure: failureOf(error, plan.failed), step: index }
        }
      }
      return null
    } finally {
      running.value--
    }
  }

  /** Tells what was done in a toast, with Undo where there is one. */
  function tell(plan: Plan): void {
    const { undo } = plan
    toasts.show(plan.done, undo && (async () => void (await run(undo))))
  }

  /** True if all steps went well; else the problem is shown until it is answered. */
  async function run(plan: Plan, from = 0): Promise<boolean> {
    const result = await attempt(plan, from)
    if (!result) {
      tell(plan)
      return true
    }
    const { failure, step } = result
    if (failure) {
      const id = nextId++
      const retry = () => {
        settle(id)
        return run(plan, step)
      }
      problems.value = [...problems.value, { id, failure, retry }]
    }
    return false
  }

  function settle(id: number): void {
    problems.value = problems.value.filter((problem) => problem.id !== id)
  }

  return { calls, problems, busy: computed(() => running.value > 0), perform, attempt, tell, run, settle }
})
