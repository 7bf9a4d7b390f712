import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger as logger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { Programs } from './programs.ts'

let dir: string
let clock: FakeClock
let restarts: number
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'programs-'))
  clock = new FakeClock()
  restarts = 0
  await writeFile(join(dir, 'agent.mjs'), 'old')
})
afterEach(() => rm(dir, { recursive: true }))

/** As a process of the agent has it. */
const start = () =>
  new Programs({
    ...{ self: join(dir, 'agent.mjs'), stateDir: dir, version: 'v1', clock, random: seededRandom(1), logger },
    restart: () => void restarts++,
    tryOut: async (file) => {
      if ((await readFile(file, 'utf8')).includes('broken')) throw new Error('SyntaxError')
    },
  })
const hash = (text: string) => createHash('sha256').update(text).digest('hex')
async function* bytes(text: string) {
  yield Buffer.from(text)
}
const replace = (programs: Programs, text: string) => programs.replace(bytes(text), hash(text))
const current = () => readFile(join(dir, 'agent.mjs'), 'utf8')

it('gives way to another, which stays once the control plane is content, and can go back and forth', async () => {
  await replace(start(), 'new')
  expect([await current(), restarts]).toEqual(['new', 1])
  using next = start()
  expect(await next.begin()).toBe(true)
  expect(await next.state()).toEqual({ version: 'v1', sha256: hash('new'), previous: hash('old'), onTrial: true, refused: null })
  await next.commit()
  await clock.advance(3_600_000)
  expect([await current(), restarts]).toEqual(['new', 1])
  await next.rollBack()
  expect([await current(), restarts]).toEqual(['old', 2])
  await start().rollBack()
  expect(await current()).toBe('new')
})

it('comes back when nobody is content with the other in time', async () => {
  await replace(start(), 'new')
  using next = start()
  await next.begin()
  await clock.advance(180_000)
  await expect.poll(() => restarts).toBe(2)
  expect(await current()).toBe('old')
  const { refused, onTrial } = await start().state()
  expect(refused).toEqual({ sha256: hash('new'), why: 'The control plane was not content with it within 3 minutes.' })
  expect(onTrial).toBe(false)
})

it('comes back when the other ends again and again', async () => {
  await replace(start(), 'new')
  for (let i = 0; i < 3; i++) {
    using crashing = start()
    expect(await crashing.begin()).toBe(true)
  }
  expect(await start().begin()).toBe(false)
  expect(await current()).toBe('old')
  expect(await start().begin()).toBe(true)
})

it('stays where it is when the other is damaged, does not run, or there is none to go back to', async () => {
  const programs = start()
  await expect(programs.replace(bytes('half'), hash('whole'))).rejects.toThrow(/what arrived is/)
  await expect(replace(programs, 'broken')).rejects.toThrow('it does not run here: SyntaxError')
  await expect(programs.rollBack()).rejects.toThrow('no earlier program')
  expect([await current(), restarts, await readdir(dir)]).toEqual(['old', 0, ['agent.mjs']])
})

it('takes no further program while one is on trial, and goes back from it when told', async () => {
  await replace(start(), 'new')
  using next = start()
  await next.begin()
  await expect(replace(next, 'newer')).rejects.toThrow('on trial')
  await next.rollBack()
  expect(await current()).toBe('old')
  expect((await start().state()).refused?.why).toBe('The control plane rolled it back.')
})
