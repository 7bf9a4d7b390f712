import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Emitter } from '../../base/events.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger as logger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { createRotatingCertificate } from './rotating-certificate.ts'

/** A certificate whose signer is away; `asked` counts the attempts, and `answer` ends the one under way. */
async function unsigned(stack: AsyncDisposableStack) {
  const dir = await mkdtemp(join(tmpdir(), 'certificate-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const retryNow = new Emitter<void>()
  const seen = { asked: 0, answer: () => undefined as void }
  const certificate = stack.use(
    createRotatingCertificate({
      ...{ name: 'client', file: join(dir, 'client.pem'), clock: new FakeClock(), random: seededRandom(1), logger, retryNow, names: [] },
      sign: (_key, signal) =>
        new Promise((_resolve, reject) => {
          seen.asked++
          seen.answer = () => reject(new Error('nobody answers'))
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        }),
    }),
  )
  await certificate.start()
  return { seen, retryNow, asked: (times: number) => expect.poll(() => seen.asked).toBe(times) }
}

it('is asked for again as soon as the control plane has connected, without waiting out the pause', async () => {
  await using stack = new AsyncDisposableStack()
  const { seen, retryNow, asked } = await unsigned(stack)
  await asked(1)
  seen.answer()
  await new Promise((resolve) => setImmediate(resolve))
  retryNow.emit()
  await asked(2)
})

it('is asked for again at once when the control plane connected during an attempt that then failed', async () => {
  await using stack = new AsyncDisposableStack()
  const { seen, retryNow, asked } = await unsigned(stack)
  await asked(1)
  retryNow.emit()
  seen.answer()
  await asked(2)
})
