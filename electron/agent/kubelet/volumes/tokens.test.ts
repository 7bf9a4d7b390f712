import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/logger.ts'
import { seededRandom } from '../../../base/random.ts'
import { forbidden, unavailable } from '../../../machinery/status.ts'
import { pod } from '../../testing/pods.ts'
import { TokenCache } from './tokens.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tokens-'))
})
afterEach(() => rm(dir, { recursive: true }))

function open(clock = new FakeClock()) {
  const state = { issued: 0, fault: null as Error | null }
  const issue = async ({ expirationSeconds }: { expirationSeconds: number }) => {
    if (state.fault) throw state.fault
    return { token: `t${++state.issued}`, expiresAt: clock.now() + expirationSeconds * 1000 }
  }
  const cache = new TokenCache(issue, { clock, random: seededRandom(1), logger: silentLogger, file: (uid) => join(dir, uid) })
  const get = (audience = '') => cache.get({ pod: pod(), audience, expirationSeconds: 3600 })
  return { clock, state, cache, get }
}

it('asks once, and again when four fifths of a token’s life are over', async () => {
  const { clock, cache, get } = open()
  expect(await get()).toBe('t1')
  expect(await get('vault')).toBe('t2')
  await clock.advance(2_800_000)
  expect(await get()).toBe('t1')
  expect(cache.due(clock.now())).toEqual([])
  await clock.advance(80_000)
  expect(cache.due(clock.now())).toEqual(['uid-1'])
  expect(await get()).toBe('t3')
})

it('goes on with an old token while the API server is away, even after a restart', async () => {
  const { clock, state, get } = open()
  await get()
  await clock.advance(4_000_000)
  state.fault = unavailable('away')
  expect(await get()).toBe('t1')
  const again = open(clock)
  again.state.fault = unavailable('away')
  expect(await again.get()).toBe('t1')
  await expect(again.get('never asked before')).rejects.toThrow('away')
})

it('does not go on where the API server refuses', async () => {
  const { clock, state, get } = open()
  await get()
  await clock.advance(4_000_000)
  state.fault = forbidden({ group: '', resource: 'serviceaccounts' }, 'default', 'no')
  await expect(get()).rejects.toThrow('forbidden')
})
