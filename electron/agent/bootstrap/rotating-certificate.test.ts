import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CLIENT_AUTH, createAuthority, importPrivateKey, issue } from '../../apiserver/pki/certificate.ts'
import { Emitter } from '../../base/events.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { silentLogger as logger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { createRotatingCertificate, type RotatingCertificate } from './rotating-certificate.ts'

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

const DAY = 86_400_000

/** A certificate that is signed at once, for a year from what the issuer takes for now. */
async function signed(stack: AsyncDisposableStack) {
  const dir = await mkdtemp(join(tmpdir(), 'certificate-'))
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const [clock, random] = [new FakeClock(), seededRandom(1)]
  const authority = await createAuthority({ commonName: 'ca', notBefore: 0, notAfter: clock.now() + 4000 * DAY, random })
  const issuer = { ahead: 0, issued: 0 }
  const certificate = stack.use(
    createRotatingCertificate({
      ...{ name: 'client', file: join(dir, 'client.pem'), clock, random, logger, names: [] },
      async sign(key) {
        issuer.issued++
        const { publicKey } = await importPrivateKey(key)
        const now = clock.now() + issuer.ahead
        const validity = { notBefore: now - 3_600_000, notAfter: now + 365 * DAY }
        return issue(authority, { subject: { commonName: 'system:node:n' }, publicKey, usages: CLIENT_AUTH, ...validity }, random)
      },
    }),
  )
  await certificate.start()
  await expect.poll(() => certificate.current).not.toBeNull()
  return { clock, issuer, certificate }
}

/** Whether it was issued within the last day. */
function fresh({ current }: RotatingCertificate, clock: FakeClock): boolean {
  return current !== null && clock.now() - Date.parse(new X509Certificate(current.cert).validFrom) < DAY
}

it('is renewed in the last third of its life, and within the hour after a sleep of 400 days', async () => {
  await using stack = new AsyncDisposableStack()
  const { clock, issuer, certificate } = await signed(stack)
  clock.jump(200 * DAY)
  await clock.advance(3_600_000)
  expect(issuer.issued).toBe(1)
  clock.jump(62 * DAY)
  await clock.advance(3_600_000)
  await expect.poll(async () => (await settle(), fresh(certificate, clock))).toBe(true)
  expect(issuer.issued).toBe(2)
  clock.jump(400 * DAY)
  expect(certificate.current).toBeNull()
  await clock.advance(3_600_000)
  await expect.poll(() => issuer.issued).toBe(3)
  await expect.poll(() => certificate.current).not.toBeNull()
})

it('of a time that was never is replaced when the clock is right again', async () => {
  await using stack = new AsyncDisposableStack()
  const { clock, issuer, certificate } = await signed(stack)
  issuer.ahead = 400 * DAY
  clock.jump(300 * DAY)
  await clock.advance(3_600_000)
  await expect.poll(() => certificate.current).toBeNull()
  issuer.ahead = 0
  await clock.advance(60_000)
  await expect.poll(() => certificate.current).not.toBeNull()
})

it('is asked for ever more rarely where the clocks are months apart', async () => {
  await using stack = new AsyncDisposableStack()
  const { clock, issuer } = await signed(stack)
  issuer.ahead = -300 * DAY
  clock.jump(250 * DAY)
  for (let minutes = 0; minutes < 180; minutes++) {
    await clock.advance(60_000)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(issuer.issued).toBeGreaterThan(1)
  expect(issuer.issued).toBeLessThanOrEqual(9)
})
