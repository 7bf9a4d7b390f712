import type { Kubelet } from './kubelet.ts'

/** Seconds. */
const MOST_GRACE = 10

/** Ends whatever runs, with the pods' own grace but no more than a little; `remove` clears it from the runtime too. */
export async function endAllPods(kubelet: Kubelet, remove: boolean, signal: AbortSignal): Promise<void> {
  const { cache, pods } = kubelet
  // Nobody may start what is ended here.
  await pods.manager[Symbol.asyncDispose]()
  const all = await Promise.allSettled(
    cache.list().map(async (runtime) => {
      const state = pods.manager.stateOf(runtime)
      const grace = Math.min(state.pod.spec.terminationGracePeriodSeconds ?? MOST_GRACE, MOST_GRACE)
      await pods.killer.killPod(state.pod, runtime, { grace, signal })
      if (!remove) return
      state.removed = true
      await pods.stages.release(state, signal)
      await pods.stages.clear(state, signal)
    }),
  )
  const failed = all.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
