import type { Clock } from '../../base/clock.ts'
import { Emitter } from '../../base/events.ts'
import type { Logger } from '../../base/logger.ts'
import type { KeyPairPem } from './certificate.ts'

/** A certificate that is replaced before it expires. Listeners hear of each replacement. */
export interface RotatingCertificate {
  readonly current: KeyPairPem
  onChange(listener: (pair: KeyPairPem) => void): Disposable
}

export interface Issued {
  readonly pair: KeyPairPem
  readonly notBefore: number
  readonly notAfter: number
}

/** How often the wall clock is looked at: after a sleep or a jump, agents wait for the certificate that fits the new time. */
const CHECK_EVERY = 30_000
/** Renewed when a fifth of its life is left. */
const RENEW_AT = 0.8

export class Rotation implements RotatingCertificate, AsyncDisposable {
  readonly #make: () => Promise<Issued>
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #name: string
  readonly #changes: Emitter<KeyPairPem>
  #issued: Issued | null = null
  #timer: Disposable | null = null
  #work: Promise<void> = Promise.resolve()
  /** A renewal that time asked for is under way. */
  #renewing = false

  constructor(options: { name: string; make: () => Promise<Issued>; clock: Clock; logger: Logger }) {
    this.#name = options.name
    this.#make = options.make
    this.#clock = options.clock
    this.#logger = options.logger
    this.#changes = new Emitter((error) => this.#logger.error('a certificate listener failed', { certificate: this.#name, error }))
  }

  get current(): KeyPairPem {
    if (!this.#issued) throw new Error(`the ${this.#name} certificate is there only after start`)
    return this.#issued.pair
  }

  onChange(listener: (pair: KeyPairPem) => void): Disposable {
    return this.#changes.on(listener)
  }

  async start(): Promise<void> {
    this.#issued = await this.#make()
    this.#timer = this.#clock.setInterval(() => this.#check(), CHECK_EVERY, { unref: true })
  }

  /** Issues anew, one at a time, and tells the listeners. */
  renew(): Promise<void> {
    const next = this.#work.then(async () => {
      this.#issued = await this.#make()
      this.#logger.info('certificate renewed', { certificate: this.#name, notAfter: new Date(this.#issued.notAfter).toISOString() })
      this.#changes.emit(this.#issued.pair)
    })
    this.#work = next.catch(() => undefined)
    return next
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]()
    await this.#work
  }

  #check(): void {
    if (!this.#issued || this.#renewing) return
    const { notBefore, notAfter } = this.#issued
    const now = this.#clock.now()
    if (now >= notBefore && now < notBefore + (notAfter - notBefore) * RENEW_AT) return
    this.#renewing = true
    this.renew()
      .catch((error: unknown) => this.#logger.error('certificate not renewed', { certificate: this.#name, error }))
      .finally(() => (this.#renewing = false))
  }
}
