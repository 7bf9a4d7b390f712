import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { failure } from '../testing/subject.ts'
import { Writer } from './writer.ts'

/** Fails the first batch at once, and the others of its epoch only when a batch of the next epoch has come, which succeeds. */
const THREAD = `import { parentPort } from 'node:worker_threads'
  parentPort.postMessage({ type: 'ready' })
  const late = []
  let first = true
  parentPort.on('message', ({ type, epoch, frame }) => {
    if (type === 'close') return parentPort.close()
    const failed = { type: 'failed', epoch, frame, failure: { kind: 'full', message: 'no room' } }
    if (epoch === 0 && !first) return late.push(failed)
    if (epoch === 0) parentPort.postMessage(failed)
    else for (const message of [...late.splice(0), { type: 'done', frame }]) parentPort.postMessage(message)
    first = false
  })`

describe('Writer', () => {
  it('says of all batches under way that they failed when the first does, so that no later one can be built on them', async () => {
    const url = new URL(`data:text/javascript,${encodeURIComponent(THREAD)}`)
    const init = { role: 'write', path: '', reserveBytes: 0 } as const
    const deps = { url, init, clock: new FakeClock(), logger: silentLogger, makeRoom: () => Promise.resolve(false) }
    await using writer = new Writer(deps)
    await writer.ready()
    const batch = () => ({ frame: writer.frame(0), length: 0, leases: [], compact: null, purge: [] })
    await Promise.all([writer.commit(batch()), writer.commit(batch()), writer.commit(batch())].map((work) => failure(work, 'noSpace')))
    await expect(writer.commit(batch())).resolves.toBeUndefined()
  })
})
