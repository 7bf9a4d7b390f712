/** A container of one's own in a pod that runs, for looking into it: `kubectl debug`. Source: Kubernetes API, ephemeral containers. */
import type { Pod } from '../../../electron/api/core/v1/types.gen.ts'
import type { Face } from '../face/face.ts'
import { getObject, pathTo, send, STRATEGIC_PATCH } from '../kube/api.ts'
import { PODS } from '../kube/resources.ts'
import { pause } from '../time/clock.ts'

export interface DebugRequest {
  readonly namespace: string
  readonly pod: string
  readonly image: string
  /** Whose processes it sees. */
  readonly target: string
}

/** Milliseconds between two looks at whether it runs. */
const LOOK = 500

/** The first of debug-1, debug-2, … that the pod has not had: ephemeral containers stay in it for ever. */
export function freeName(pod: Pod): string {
  const taken = new Set(pod.spec.ephemeralContainers?.map(({ name }) => name))
  let n = 1
  while (taken.has(`debug-${n}`)) n++
  return `debug-${n}`
}

/**
 * Its name once it runs. `tell` hears what it waits for. Throws StatusFailure where the API refuses, and an Error with the reason where it
 * ends before it ran.
 */
export async function startDebug(
  face: Face,
  { namespace, pod, image, target }: DebugRequest,
  tell: (what: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const ref = { resource: PODS, namespace, name: pod }
  const name = freeName(await getObject<Pod>(face, ref, signal))
  const container = { name, image, stdin: true, tty: true, targetContainerName: target }
  await send(
    face,
    {
      method: 'PATCH',
      path: pathTo(ref, 'ephemeralcontainers'),
      contentType: STRATEGIC_PATCH,
      body: { spec: { ephemeralContainers: [container] } },
    },
    signal,
  )
  for (;;) {
    const now = await getObject<Pod>(face, ref, signal)
    const state = now.status?.ephemeralContainerStatuses?.find((status) => status.name === name)?.state
    if (state?.running) return name
    if (state?.terminated) throw new Error(state.terminated.message || state.terminated.reason || String(state.terminated.exitCode))
    tell(state?.waiting?.message || state?.waiting?.reason || '')
    await pause(LOOK)
    signal.throwIfAborted()
  }
}
