import { describe, expect, it } from 'vitest'
import { configMap } from '../../api/kinds.gen.ts'
import { nextTurn } from '../../base/next-turn.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { startTestServer } from '../../apiserver/testing/harness.ts'
import { createInformers } from '../../client/informers.ts'
import { createRunner } from './runner.ts'
import { watch } from './controller.ts'

/** Looking at it takes a millisecond. */
class BusyClock extends FakeClock {
  #looks = 0

  override monotonic(): number {
    return super.monotonic() + ++this.#looks
  }
}

describe('a controller with many keys that wait for nothing', () => {
  it('lets others have their turn before all are done', async () => {
    await using stack = new AsyncDisposableStack()
    const server = await startTestServer()
    stack.defer(() => server.stop())
    const deps = { client: server.client, clock: new BusyClock(), random: seededRandom(1), logger: silentLogger }
    const informers = stack.use(createInformers(server.client, deps))
    const KEYS = 1000
    let done = 0
    const descriptor = {
      name: 'busy-controller',
      create: () => ({
        watches: [watch(informers.for(configMap), () => Array.from({ length: KEYS }, (_, i) => `key-${i}`))],
        async reconcile() {
          done++
          return undefined
        },
      }),
    }
    await server.client.create(configMap, { metadata: { name: 'a', namespace: 'default' } })
    const runner = createRunner(descriptor, { ...deps, informers, options: {} })
    if (!runner) throw new Error('there is no runner')
    stack.use(runner)
    await informers.start()
    await runner.start()
    await nextTurn()
    expect(done).toBeLessThan(KEYS)
    while (done < KEYS) await nextTurn()
  })
})
