import { type Clock, sleep } from '../../../electron/base/clock.ts'
import { messageOf } from '../../../electron/base/errors.ts'
import type { FaultyDisk } from '../disk/faulty-disk.ts'
import type { History } from '../history.ts'
import type { FaultIntent, Restart } from '../schedule/intents.ts'
import type { Server } from './server.ts'

/** How long a store may take to go on by itself when the disk has room again, in milliseconds. */
const RECOVERY = 30_000
const POLL = 5
/** How many more requests a fault of the disk is given to be met with. */
const CHANCES = 40

/** The store did not come back, or not in order. */
export class Unrecovered extends Error {
  override readonly name = 'Unrecovered'
}

export interface FaultDeps {
  readonly server: Server
  readonly history: History
  readonly clock: Clock
  /** The clients have all that they planned to ask for. */
  readonly trafficEnded: () => boolean
}

/** Does the planned harm to a store, when its time has come. */
export class Faults {
  readonly #deps: FaultDeps

  constructor(deps: FaultDeps) {
    this.#deps = deps
  }

  async run(plan: readonly FaultIntent[]): Promise<void> {
    for (const fault of plan) {
      await this.#answered(fault.after)
      await this.#do(fault)
    }
  }

  /** Harms nothing any more; the store has to go on by itself. */
  async calm(): Promise<void> {
    const { server, clock } = this.#deps
    server.disk?.heal()
    const until = clock.monotonic() + RECOVERY
    for (;;) {
      const { alarms } = await server.client.status()
      if (alarms.length === 0) return
      if (alarms.some((alarm) => alarm !== 'noSpace')) return this.#restart('kill')
      if (clock.monotonic() > until) throw new Unrecovered(`the disk has room again, but the store still says ${alarms.join(', ')}`)
      await sleep(clock, POLL)
    }
  }

  async #do(fault: FaultIntent): Promise<void> {
    const { server, history, clock } = this.#deps
    const { disk } = server
    history.fault(JSON.stringify(fault))
    switch (fault.kind) {
      case 'kill':
      case 'losePower':
        return this.#restart(fault.kind)
      case 'losePowerTwice': {
        await server.losePower()
        const starting = server.start().catch(() => undefined)
        await sleep(clock, fault.ms)
        await server.losePower()
        await starting
        return this.#start()
      }
      case 'close':
        if (fault.then === 'reopen') await server.close()
        else {
          await server.close(fault.then.lossAfterMs)
          await server.losePower()
        }
        return this.#start()
      case 'pause':
        server.pause()
        await sleep(clock, fault.ms)
        return server.resume()
      case 'syncError':
      case 'writeError':
        await this.#whileMet(disk, () => disk?.set(fault.kind === 'syncError' ? 'failSyncs' : 'failWrites', fault.count))
        return this.#restart(fault.then)
      case 'full':
        disk?.set('room', fault.room)
        disk?.set('full', 1)
        await this.#answered(history.answered + fault.requests)
        return fault.then === 'room' ? this.calm() : this.#restart(fault.then)
      case 'slowDisk':
        disk?.set('slowMicros', fault.micros)
        await this.#answered(history.answered + fault.requests)
        return disk?.heal()
      case 'shortWrites':
        disk?.set('shortOf256', fault.of256)
        await this.#answered(history.answered + fault.requests)
        return disk?.heal()
    }
  }

  /** Waits until the fault was met with, and what follows from it had some time to happen. */
  async #whileMet(disk: FaultyDisk | null, begin: () => void): Promise<void> {
    const { history, clock } = this.#deps
    const before = disk?.count('faults') ?? 0
    const enough = history.answered + CHANCES
    begin()
    while ((disk?.count('faults') ?? 0) === before && history.answered < enough && !this.#deps.trafficEnded()) await sleep(clock, POLL)
    await sleep(clock, POLL)
  }

  async #restart(how: Restart): Promise<void> {
    const { server } = this.#deps
    if (how === 'close') await server.close()
    else if (how === 'kill') await server.kill()
    else await server.losePower()
    await this.#start()
  }

  /** On a disk without faults. */
  async #start(): Promise<void> {
    const { server } = this.#deps
    server.disk?.heal()
    try {
      await server.start()
    } catch (error) {
      throw new Unrecovered(`the store does not open: ${messageOf(error)}`)
    }
  }

  async #answered(count: number): Promise<void> {
    const { history, clock, trafficEnded } = this.#deps
    while (history.answered < count && !trafficEnded()) await sleep(clock, POLL)
  }
}
