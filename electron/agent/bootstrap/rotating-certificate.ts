/** A certificate with its key on disk, renewed by itself when two thirds of its life are over. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dirname } from 'node:path'
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf, systemCode } from '../../base/errors.ts'
import { Emitter } from '../../base/events.ts'
import { component, componentWith } from '../../base/lifecycle.ts'
import type { Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import { writeAtomically } from '../checkpoint/atomic-file.ts'
import { generateKey } from './certificate-request.ts'

export interface KeyPair {
  /** PEM. */
  readonly cert: string
  readonly key: string
}

export interface RotatingCertificate extends Component {
  /** null before the first, and while the clock is outside the time for which the last was issued. */
  readonly current: KeyPair | null
  onChange(listener: () => void): Disposable
  /** Resolves when there is one. */
  whenIssued(signal: AbortSignal): Promise<KeyPair>
}

export interface RotatingCertificateDeps {
  /** "client", "serving" */
  readonly name: string
  /** Holds key and certificate together, so that they always fit. */
  readonly file: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Has the key signed; returns the certificate. */
  readonly sign: (key: string, signal: AbortSignal) => Promise<string>
  /** Ends the wait after a failure, also after one of an attempt that is under way. */
  readonly retryNow?: Emitter<void>
  /** Names that it must be for; one that lacks any is replaced. */
  readonly names: readonly string[]
}

const RENEW_AT = 2 / 3
/** Of a certificate's life: so that many nodes do not ask together. */
const JITTER = 0.1
/** Of the issuer's clock ahead of this one, in milliseconds, before a certificate counts as one of another time. */
const AHEAD = 300_000
/** Where the clocks differ by months a new certificate is due as soon as it is there: it is asked for ever more rarely, up to this. */
const FIRST_LIFE = 60_000
const LONGEST_LIFE = 3_600_000
const FIRST_RETRY = 1000
const LONGEST_RETRY = 60_000

/** `start` reads what is on disk and does not wait for the cluster. */
export function createRotatingCertificate(deps: RotatingCertificateDeps): RotatingCertificate {
  const { name, file, clock, random, logger, sign, names, retryNow } = deps
  const changed = new Emitter<void>()
  let pair: KeyPair | null = null

  const current = () => {
    if (!pair) return null
    const { validFrom, validTo } = new X509Certificate(pair.cert)
    return clock.now() + AHEAD >= Date.parse(validFrom) && clock.now() < Date.parse(validTo) ? pair : null
  }

  const load = async () => {
    try {
      const text = await readFile(file, 'utf8')
      const found = splitPair(text)
      if (found && names.every((wanted) => isFor(new X509Certificate(found.cert), wanted))) pair = found
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        logger.warn('a certificate cannot be read and is asked for anew', { name, error: messageOf(error) })
    }
  }

  const renew = async (signal: AbortSignal) => {
    const key = await generateKey()
    const cert = await sign(key, signal)
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
      throw new Error('the certificate that came back is for another key')
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeAtomically(file, key + cert, random)
    pair = { cert, key }
    logger.info('got a certificate', { name, until: new X509Certificate(cert).validTo })
    changed.emit()
  }

  /** Milliseconds until it should be renewed. */
  const due = (jitter: number): number => {
    const held = current()
    if (!held) return 0
    const { validFrom, validTo } = new X509Certificate(held.cert)
    const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
    return Math.max(0, from + (to - from) * (RENEW_AT + jitter) - clock.now())
  }

  const run = async (signal: AbortSignal) => {
    let failures = 0
    let useless = 0
    let woken = new AbortController()
    using _listening = retryNow?.on(() => woken.abort())
    const pause = (ms: number, stopping: AbortSignal) => sleep(clock, ms, AbortSignal.any([stopping, woken.signal])).catch(() => undefined)
    while (!signal.aborted) {
      woken = new AbortController()
      // Looked at once an hour, because clocks jump.
      const wait = Math.min(due((random.float() - 0.5) * JITTER), 3_600_000)
      try {
        if (wait > 0) await sleep(clock, wait, signal)
        if (due(0) === 0) {
          await renew(signal)
          if (due(0) > 0) useless = 0
          else await pause(Math.min(FIRST_LIFE * 2 ** useless++, LONGEST_LIFE), signal)
        }
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        failures++
        const retryIn = Math.min(FIRST_RETRY * 2 ** (failures - 1), LONGEST_RETRY)
        logger.warn('a certificate was not issued', { name, retryIn, error: messageOf(error) })
        await pause(retryIn, signal)
        if (woken.signal.aborted) failures = 0
      }
    }
  }

  const base = component(async (stack, signal) => {
    await load()
    const running = run(signal)
    stack.defer(() => running)
  })
  return componentWith(base, {
    get current() {
      return current()
    },
    onChange: (listener) => changed.on(listener),
    whenIssued(signal) {
      const held = current()
      if (held) return Promise.resolve(held)
      return new Promise((resolve, reject) => {
        const subscription = changed.on(() => {
          const issued = current()
          if (!issued) return
          subscription[Symbol.dispose]()
          resolve(issued)
        })
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      })
    },
  })
}

const BEGIN_CERTIFICATE = '-----BEGIN CERTIFICATE-----'

function splitPair(text: string): KeyPair | null {
  const at = text.indexOf(BEGIN_CERTIFICATE)
  return at > 0 ? { key: text.slice(0, at), cert: text.slice(at) } : null
}

function isFor(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined
}
