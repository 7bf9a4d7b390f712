import { type Random, randomInt } from '../../../electron/base/random.ts'
import type { FaultIntent, FaultKind, Restart } from './intents.ts'

const RESTARTS: readonly Restart[] = ['kill', 'losePower', 'losePower', 'close']

export function planFault(random: Random, kinds: readonly FaultKind[], after: number): FaultIntent {
  const pick = <T>(from: readonly T[]): T => from[randomInt(random, from.length)] as T
  const kind = pick(kinds)
  const requests = 20 + randomInt(random, 100)
  switch (kind) {
    case 'kill':
    case 'losePower':
      return { after, kind }
    case 'losePowerTwice':
      return { after, kind, ms: 20 + randomInt(random, 150) }
    case 'close':
      return { after, kind, then: pick(['reopen', { lossAfterMs: randomInt(random, 15) }] as const) }
    case 'pause':
      return { after, kind, ms: 10 + randomInt(random, 150) }
    case 'syncError':
    case 'writeError':
      return { after, kind, count: 1 + randomInt(random, 3), then: pick(RESTARTS) }
    case 'full':
      return { after, kind, room: randomInt(random, 200_000), requests, then: pick(['room', 'room', 'room', ...RESTARTS]) }
    case 'slowDisk':
      return { after, kind, micros: 1000 + randomInt(random, 20_000), requests }
    case 'shortWrites':
      return { after, kind, of256: 1 + randomInt(random, 256), requests }
  }
}
