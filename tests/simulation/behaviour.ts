/**
 * What the containers of a simulated pod do. A pod may say it of itself in annotations, all with the prefix below:
 *
 * - `start-delay`, `ready-delay`, `stop-delay`: seconds from being taken to running, to passing its probes, from being told to end to the end
 * - `ready: "false"`: its readiness probes fail; they are asked again whenever the pod changes
 * - `runs-for`: seconds after which each container ends of itself; `exit-codes: "1,1,0"`: how, by attempt, the last one for all further
 * - `missing-image: "true"`: the image cannot be pulled
 */
import type { Container, Pod } from '../../electron/api/core/v1/types.gen.ts'
import { sleep, type Clock } from '../../electron/base/clock.ts'

export const PREFIX = 'simulation.flotilla.dev/'

/** Times are in milliseconds. */
export interface Behaviour {
  readonly startDelay: number
  readonly readyDelay: number
  /** At most the pod's grace period counts. */
  readonly stopDelay: number
  readonly ready: boolean
  readonly missingImage: boolean
  /** Resolves with the exit code when the container ends of itself; null: it does not. The signal aborts when it is told to end. */
  readonly run: (container: Container, attempt: number, signal: AbortSignal) => Promise<number> | null
}

/** Looked up anew each time, so that the answer may change. What is absent is as the pod's annotations say. */
export type Play = (pod: Pod) => Partial<Behaviour>

export function behaviourOf(pod: Pod, clock: Clock, play: Play): Behaviour {
  const said = (name: string) => pod.metadata.annotations?.[PREFIX + name]
  const seconds = (name: string) => Math.max(0, Number(said(name) ?? 0) || 0) * 1000
  const codes = (said('exit-codes') ?? '0').split(',').map(Number)
  return {
    startDelay: seconds('start-delay'),
    readyDelay: seconds('ready-delay'),
    stopDelay: seconds('stop-delay'),
    ready: said('ready') !== 'false',
    missingImage: said('missing-image') === 'true',
    run: (_container, attempt, signal) => {
      if (said('runs-for') === undefined) return null
      return sleep(clock, seconds('runs-for'), signal).then(() => codes[Math.min(attempt, codes.length - 1)] ?? 0)
    },
    ...play(pod),
  }
}
