/** What is to happen after a container's start and before its end. Source: kubernetes `kubelet/lifecycle`. */
import { deadline, sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Container, LifecycleHandler } from '../../../api/core/v1/types.gen.ts'
import type { Cri } from '../../runtime/cri.ts'
import { httpRequestOf, probeHttp } from '../probes/http-probe.ts'

const USER_AGENT = 'kube-lifecycle/1.36'
/** Milliseconds for a server to answer a hook. */
const HTTP_TIMEOUT = 60_000

export interface HookTarget {
  readonly container: Container
  readonly containerId: string
  /** The pod's. */
  readonly address: string
}

export class HookError extends Error {
  override readonly name = 'HookError'
}

/** Throws HookError if the hook fails, and the signal's reason if it is given up. */
export type HookRunner = (handler: LifecycleHandler, target: HookTarget, signal: AbortSignal) => Promise<void>

export function createHookRunner({ cri, clock }: { cri: Cri; clock: Clock }): HookRunner {
  return async (handler, { container, containerId, address }, signal) => {
    const { exec, httpGet, sleep: pause } = handler
    if (exec) {
      const { exitCode, stdout, stderr } = await cri.execSync(containerId, exec.command ?? [], 0, signal)
      if (exitCode === 0) return
      const output = Buffer.concat([stdout, stderr]).toString().trim()
      throw new HookError(`command '${(exec.command ?? []).join(' ')}' exited with ${exitCode}: ${output}`)
    }
    if (httpGet) {
      const request = httpRequestOf(httpGet, container, address, USER_AGENT)
      if (!request) throw new HookError(`couldn't find port: ${httpGet.port}`)
      const { outcome, output } = await probeHttp(request, HTTP_TIMEOUT, clock, signal)
      signal.throwIfAborted()
      // Whatever the server answers will do; that it answers is what counts.
      if (outcome === 'failure' && !output.startsWith('HTTP probe failed with statuscode')) throw new HookError(output)
      return
    }
    if (pause) return sleep(clock, pause.seconds * 1000, signal)
    throw new HookError('invalid handler: no handler type is given that a hook can have')
  }
}

/** Runs a hook for at most `ms` milliseconds; returns what it took and whether it did what it should. */
export async function runLimited(
  run: HookRunner,
  handler: LifecycleHandler,
  target: HookTarget,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ took: number; error: unknown }> {
  const began = clock.monotonic()
  using limit = deadline(clock, ms, signal)
  try {
    await run(handler, target, limit.signal)
    return { took: clock.monotonic() - began, error: null }
  } catch (error) {
    signal.throwIfAborted()
    return { took: clock.monotonic() - began, error }
  }
}
