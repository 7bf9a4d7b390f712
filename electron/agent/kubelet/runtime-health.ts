/** Whether the container runtime answers, and its network is set up. */
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { Emitter } from '../../base/events.ts'
import { component, componentWith } from '../../base/lifecycle.ts'
import type { Component } from '../../base/lifecycle.ts'
import type { Cri } from '../runtime/cri.ts'

export interface RuntimeHealthMonitor extends Component {
  /** Why pods cannot run; null if they can. */
  readonly runtimeFault: string | null
  /** Why pods cannot have a network of their own; null if they can. */
  readonly networkFault: string | null
  /** One of them changed. */
  readonly changed: Emitter<void>
}

const LOOK = 10_000
const LOOK_UNHEALTHY = 1000

/** `start` waits for the first answer, good or bad. */
export function createRuntimeHealth({ cri, clock }: { cri: Cri; clock: Clock }): RuntimeHealthMonitor {
  const changed = new Emitter<void>()
  let runtimeFault: string | null = 'container runtime status check may not have completed yet'
  let networkFault: string | null = null

  const look = async () => {
    const before = [runtimeFault, networkFault].join('\n')
    try {
      const { conditions } = await cri.health()
      const faultOf = (type: string, title: string) => {
        const condition = conditions.find((c) => c.type === type)
        if (!condition) return `${title} not ready: condition ${type} not found`
        if (condition.status) return null
        return `${title} not ready: ${type}=false reason:${condition.reason} message:${condition.message}`
      }
      runtimeFault = faultOf('RuntimeReady', 'container runtime')
      networkFault = faultOf('NetworkReady', 'container runtime network')
    } catch (error) {
      runtimeFault = `container runtime is down: ${messageOf(error)}`
    }
    if (before !== [runtimeFault, networkFault].join('\n')) changed.emit()
  }

  const run = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await sleep(clock, (runtimeFault ?? networkFault) ? LOOK_UNHEALTHY : LOOK, signal).catch(() => undefined)
      if (!signal.aborted) await look()
    }
  }

  const base = component(async (stack, signal) => {
    await look()
    const running = run(signal)
    stack.defer(() => running)
  })
  return componentWith(base, {
    get runtimeFault() {
      return runtimeFault
    },
    get networkFault() {
      return networkFault
    },
    changed,
  })
}
