import type { Clock } from '../base/clock.ts'
import { component, startIn, type Component } from '../base/lifecycle.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import { createInformers } from '../client/informers.ts'
import { CONTROLLERS } from './list.ts'
import type { ControllerOptions } from './runtime/options.ts'
import { createRunner } from './runtime/runner.ts'

export interface ControllersDeps {
  /** Must be allowed what `system:kube-controller-manager` is. */
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Names of the controllers that shall run; absent: all. */
  readonly only?: readonly string[]
  readonly options?: ControllerOptions
}

/**
 * The controllers of a control plane on informers that they share. Several may run in one process, also against the same API
 * server. `start` resolves when all have read the world and begun to work; it waits for an API server that is away.
 * Throws if `only` names a controller that does not exist.
 */
export function createControllers(deps: ControllersDeps): Component {
  const { client, clock, random, logger, only, options = {} } = deps
  const unknown = only?.find((name) => !CONTROLLERS.some((known) => known.name === name))
  if (unknown !== undefined) throw new Error(`there is no controller ${JSON.stringify(unknown)}`)
  const chosen = CONTROLLERS.filter(({ name }) => !only || only.includes(name))

  return component(async (stack, signal) => {
    const informers = stack.use(createInformers(client, { clock, logger, random }))
    const runners = chosen.flatMap((descriptor) => {
      const runner = createRunner(descriptor, { client, informers, clock, random, logger, options })
      if (!runner) logger.info('a controller does not run: what it needs was not given', { controller: descriptor.name })
      return runner ?? []
    })
    await informers.start(signal)
    for (const runner of runners) await startIn(stack, runner, signal)
  })
}
