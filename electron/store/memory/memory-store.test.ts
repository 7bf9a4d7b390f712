import { FakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import { storeSuite } from '../testing/suite.ts'
import { createMemoryStore } from './memory-store.ts'

storeSuite(
  'memory',
  async () => {
    const clock = new FakeClock()
    const store = createMemoryStore({ clock, random: seededRandom(1) })
    return { store, pass: (ms) => clock.advance(ms), close: async () => store[Symbol.asyncDispose]() }
  },
  { runs: 500 },
)
