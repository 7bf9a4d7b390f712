import { describe, expect, it } from 'vitest'
import type { Machine } from '../api/infra/v1alpha1/types.ts'
import type { Node } from '../api/core/v1/types.gen.ts'
import { FlotillaError } from '../base/errors.ts'
import { FakeClock } from '../base/fake-clock.ts'
import { diagnoseMachines } from './doctor-machines.ts'

const DAY = 86_400_000

function findings(change: {
  link?: NonNullable<Machine['status']['link']> | null
  reason?: string
  ready?: string
  out?: string
  noSudo?: boolean
  sha256?: string
  days?: number
}) {
  const clock = new FakeClock()
  const { link = { connected: true, since: '2026-01-01T00:00:00Z' }, reason = 'Connected', ready = 'True' } = change
  const now = Math.floor(clock.now() / 1000)
  const out = change.out ?? `now ${now}\ndisk 20971520 41943040\ninodes 900 1000\nimages 7 0\n`
  return diagnoseMachines({
    clock,
    machines: [
      {
        metadata: { name: 'moth' },
        status: { phase: 'Ready', ...(link ? { link } : {}), conditions: [{ type: 'Linked', reason }] },
      } as Machine,
    ],
    node: () => ({ status: { conditions: [{ type: 'Ready', status: ready, reason: 'KubeletNotReady', message: 'no network' }] } }) as Node,
    run: ({ root }) =>
      root && change.noSudo
        ? Promise.reject(new FlotillaError('NO_SUDO', { what: '', why: '', next: '' }))
        : Promise.resolve({ code: 0, stdout: out.replace('NOW', String(now)), stderr: '' }),
    agent: () =>
      Promise.resolve({
        programs: { version: 'v1.36.4+flotilla.1', sha256: change.sha256 ?? 'ours', previous: null, onTrial: false, refused: null },
        validTo: clock.now() + (change.days ?? 300) * DAY,
      }),
    agentSha256: () => Promise.resolve('ours'),
  })
}
const states = async (...args: Parameters<typeof findings>) =>
  Object.fromEntries((await findings(...args)).map(({ name, state }) => [name.replace('moth: ', ''), state]))

describe('the machines of a plane', () => {
  it('that do well have nothing to advise', async () => {
    const all = await findings({})
    expect(all.map(({ name, state }) => `${name} ${state}`)).toEqual(
      ['link', 'node', 'agent', 'certificate', 'clock', 'disk', 'images'].map((what) => `moth: ${what} ok`),
    )
    expect(all.some(({ advice }) => advice !== undefined)).toBe(false)
  })

  it('that are away say since when, why, and what to do about that very reason', async () => {
    const link = { connected: false, since: '2026-01-01T00:00:00Z', lastError: 'Could not sign in.', attempts: 4 }
    const [found, ...more] = await findings({ link, reason: 'SignInRefused' })
    expect(more).toEqual([])
    expect(found).toMatchObject({ state: 'fail', found: 'down since 2026-01-01T00:00:00Z, 4 attempts failed: Could not sign in.' })
    expect(found?.advice).toContain('flotilla node repair moth')
  })

  it('are told of a clock that is wrong, a disk that is full, images that are broken, and an agent that is old', async () => {
    expect(await states({ out: 'now 1000\ndisk 400000 41943040\ninodes 900 1000\nimages 3 2\n', sha256: 'another', days: 3 })).toEqual({
      ...{ link: 'ok', node: 'ok', agent: 'warn', certificate: 'warn' },
      ...{ clock: 'fail', disk: 'fail', images: 'warn' },
    })
    expect((await states({ out: 'now NOW\ndisk 9971520 41943040\ninodes 5 1000\n' }))['disk']).toBe('fail')
    expect((await states({ ready: 'False' }))['node']).toBe('fail')
  })

  it('say so where sudo wants a password, and when containerd does not answer', async () => {
    expect((await findings({ noSudo: true })).at(-1)).toMatchObject({ state: 'ok', found: 'not looked at: sudo wants a password there' })
    const last = (await findings({ out: 'now NOW\ndisk 20971520 41943040\nctr cannot dial\n' })).at(-1)
    expect(last).toMatchObject({
      state: 'fail',
      found: 'containerd does not answer: cannot dial',
      advice: expect.stringContaining('node logs moth') as string,
    })
  })
})
