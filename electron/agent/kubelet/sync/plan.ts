/** What must be done so that the runtime has what the pod wants. Source of the rules: kubernetes `kuberuntime_manager.go`. */
import type { Container, Pod } from '../../../api/core/v1/types.gen.ts'
import type { RuntimePod } from '../pleg/runtime-pod.ts'
import { findContainer } from '../pleg/runtime-pod.ts'
import { everRestarts, restartsAfter, shouldStart } from '../pods/restart-policy.ts'
import { killOf } from './container-kill.ts'
import type { ContainerKill, PlanInput } from './container-kill.ts'
import { planInit } from './plan-init.ts'

export interface PodPlan {
  /** All of the pod ends, its sandbox too: because it is done, or before it gets a new sandbox. */
  readonly killPod: boolean
  /** A new sandbox, the how-manieth of this pod; null: there is one, or none is needed. */
  readonly sandbox: { readonly attempt: number; readonly replaces: boolean } | null
  readonly kill: readonly ContainerKill[]
  /** In this order. */
  readonly init: readonly Container[]
  readonly main: readonly Container[]
  readonly ephemeral: readonly Container[]
}

export function planPod(input: PlanInput): PodPlan {
  const { pod, runtime } = input
  const sandbox = sandboxNeed(pod, runtime)
  if (sandbox) return planWithNewSandbox(pod, runtime, sandbox)
  const sandboxId = runtime?.sandboxes[0]?.id ?? ''
  const ephemeral = (pod.spec.ephemeralContainers ?? []).filter(({ name }) => !findContainer(runtime, name))
  const init = planInit(input, sandboxId)
  if (init.failed) return { ...NOTHING, killPod: true }
  if (!init.done) return { ...NOTHING, kill: init.kill, init: init.start, ephemeral }

  const kill: ContainerKill[] = [...init.kill]
  const main: Container[] = []
  let kept = 0
  for (const spec of pod.spec.containers) {
    const container = findContainer(runtime, spec.name)
    if (container?.state !== 'running') {
      if (!shouldStart(pod, spec, container)) continue
      main.push(spec)
      if (container?.state === 'unknown')
        kill.push({ container, spec, reason: 'lost', message: `Container ${spec.name} is in unknown state, try killing it before restart` })
      continue
    }
    const ending = killOf(spec, container, input, 'Container')
    if (!ending) {
      kept++
      continue
    }
    const restart = ending.reason === 'changed' || restartsAfter(pod, spec, 1)
    kill.push({ ...ending, message: restart ? `${ending.message}, will be restarted` : ending.message })
    if (restart) main.push(spec)
  }
  // Sidecars do not keep a pod alive.
  if (kept === 0 && main.length === 0) return { ...NOTHING, killPod: true, kill }
  return { ...NOTHING, kill, init: init.start, main, ephemeral }
}

const NOTHING: PodPlan = { killPod: false, sandbox: null, kill: [], init: [], main: [], ephemeral: [] }

function sandboxNeed(pod: Pod, runtime: RuntimePod | undefined): { attempt: number; replaces: boolean } | null {
  const [newest, ...older] = runtime?.sandboxes ?? []
  if (!newest) return { attempt: 0, replaces: false }
  const usable = newest.ready && !older.some(({ ready }) => ready)
  const networked = pod.spec.hostNetwork ? newest.hostNetwork : !newest.hostNetwork && newest.ips.length > 0
  return usable && networked ? null : { attempt: newest.metadata.attempt + 1, replaces: true }
}

function planWithNewSandbox(pod: Pod, runtime: RuntimePod | undefined, sandbox: { attempt: number; replaces: boolean }): PodPlan {
  const end: PodPlan = { ...NOTHING, killPod: true }
  if (pod.metadata.deletionTimestamp !== undefined) return end
  const ran = (runtime?.containers.length ?? 0) > 0
  // A pod that never restarts ended with its sandbox.
  if (!everRestarts(pod) && sandbox.attempt !== 0 && ran) return end
  const main = pod.spec.containers.filter((spec) => {
    const latest = findContainer(runtime, spec.name)
    return latest?.state !== 'exited' || restartsAfter(pod, spec, latest.exitCode)
  })
  if (!main.length && ran) return end
  const [first] = pod.spec.initContainers ?? []
  const next = first ? { init: [first] } : { main }
  return { ...NOTHING, killPod: sandbox.replaces, sandbox, ...next }
}
