import { EventEmitter } from 'node:events'
import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock, settle } from '../base/fake-clock.ts'
import type { UpdateState } from '../contracts/shell.ts'
import { Updates, type Updater } from './updates.ts'

class FakeUpdater extends EventEmitter implements Updater {
  autoDownload = false
  autoInstallOnAppQuit = false
  allowDowngrade = true
  checks = 0
  installed = false
  fault: Error | null = null
  async checkForUpdates(): Promise<void> {
    this.checks++
    if (this.fault) throw this.fault
  }
  quitAndInstall(): void {
    this.installed = true
  }
}

let clock: FakeClock
let updater: FakeUpdater
let states: UpdateState[]
beforeEach(() => {
  clock = new FakeClock()
  updater = new FakeUpdater()
  states = []
})

const updates = (off: 'development' | null = null) =>
  new Updates({ off, clock, load: () => Promise.resolve(updater), onChange: (state) => states.push(state) })

describe('updates', () => {
  it('are never searched for where they are off', async () => {
    using off = updates('development')
    await off.check()
    await clock.advance(24 * 3_600_000)
    expect([updater.checks, off.state]).toEqual([0, { phase: 'off', why: 'development' }])
  })

  it('are searched for after the start and some times a day, never going back to an older version', async () => {
    using _on = updates()
    await clock.advance(61_000)
    expect(updater).toMatchObject({ checks: 1, autoDownload: true, autoInstallOnAppQuit: true, allowDowngrade: false })
    updater.emit('update-not-available', { version: '1.0.0' })
    await clock.advance(6 * 3_600_000)
    expect(updater.checks).toBe(2)
  })

  it('are told step by step, and taken when the person says so and not before', async () => {
    using on = updates()
    await on.check()
    updater.emit('update-available', { version: '1.1.0' })
    updater.emit('download-progress', { percent: 41.7 })
    on.install()
    expect(updater.installed).toBe(false)
    updater.emit('update-downloaded', { version: '1.1.0' })
    await clock.advance(24 * 3_600_000)
    expect([updater.installed, updater.checks]).toEqual([false, 1])
    on.install()
    expect(updater.installed).toBe(true)
    expect(states).toEqual([
      { phase: 'checking' },
      { phase: 'loading', version: '1.1.0', percent: 0 },
      { phase: 'loading', version: '1.1.0', percent: 41 },
      { phase: 'ready', version: '1.1.0' },
    ])
  })

  it('say why the search failed, and are searched for again', async () => {
    using on = updates()
    updater.fault = new Error('the certificate has expired')
    await on.check()
    await settle()
    expect(on.state).toEqual({ phase: 'failed', why: 'the certificate has expired' })
    updater.fault = null
    await on.check()
    expect(updater.checks).toBe(2)
  })
})
