/** Listens on one address over UDP and TCP: begins when the address is there, and again whenever a socket fails. */
import { systemCode, messageOf } from '../../../base/errors.ts'
import { sleep, type Clock } from '../../../base/clock.ts'
import { component, type Component, componentWith } from '../../../base/lifecycle.ts'
import type { Logger } from '../../../base/logger.ts'
import { Problems, type ProblemSource } from '../../net/problem.ts'
import type { Protocol } from '../resolver.ts'
import { listenTcp } from './tcp-server.ts'
import { listenUdp, type Listening } from './udp-server.ts'

export interface DnsListenerDeps {
  /** IPv4. */
  readonly address: string
  /** Of both protocols. */
  readonly port: number
  /** Null for no answer. Must not reject. */
  readonly answer: (message: Uint8Array, protocol: Protocol) => Promise<Uint8Array | null>
  readonly clock: Clock
  readonly logger: Logger
}

export interface DnsListener extends Component, ProblemSource {
  /** Whether both protocols are served. */
  readonly listening: boolean
}

/** Milliseconds; doubled up to the most. */
const FIRST_RETRY = 250
const MOST_RETRY = 10_000

/** `start` tries once and does not wait for the address. */
export function createDnsListener({ address, port, answer, clock, logger }: DnsListenerDeps): DnsListener {
  const problems = new Problems(logger)
  const served = new Set<Protocol>()

  const listen = (protocol: Protocol): Promise<Listening> => {
    if (protocol === 'udp') return listenUdp(address, port, (message) => answer(message, 'udp'))
    return listenTcp(address, port, (message) => answer(message, 'tcp'), clock)
  }

  /** Null, and a problem, if it cannot now. */
  const begin = async (protocol: Protocol): Promise<Listening | null> => {
    try {
      const listening = await listen(protocol)
      problems.set(protocol, null)
      return listening
    } catch (error) {
      problems.set(protocol, problemOf(protocol, error))
      return null
    }
  }

  const keep = async (protocol: Protocol, first: Listening | null, signal: AbortSignal) => {
    let next = first
    let wait = FIRST_RETRY
    while (!signal.aborted) {
      if (next) {
        await using now = next
        next = null
        wait = FIRST_RETRY
        served.add(protocol)
        const error = await Promise.race([now.failed, whenAborted(signal)])
        served.delete(protocol)
        if (error) problems.set(protocol, problemOf(protocol, error))
      }
      await sleep(clock, wait, signal).catch(() => undefined)
      wait = Math.min(wait * 2, MOST_RETRY)
      if (!signal.aborted) next = await begin(protocol)
    }
    await next?.[Symbol.asyncDispose]()
  }

  const problemOf = (protocol: Protocol, error: unknown) => {
    const taken = systemCode(error) === 'EADDRINUSE'
    const why = taken ? 'another program of this machine listens there' : messageOf(error)
    const next = taken ? ' Stop that program, or let it listen on other addresses.' : ''
    return {
      reason: taken ? 'DnsPortInUse' : 'DnsNotListening',
      message: `Pods of this node cannot resolve names over ${protocol.toUpperCase()} at ${address}:${port}: ${why}.${next}`,
      blocking: false,
    }
  }

  const base = component(async (stack, signal) => {
    const protocols = ['udp', 'tcp'] as const
    const firsts = await Promise.all(protocols.map(begin))
    const kept = protocols.map((protocol, i) => keep(protocol, firsts[i] ?? null, signal))
    stack.defer(async () => void (await Promise.all(kept)))
  })
  return componentWith(base, {
    get listening() {
      return served.size === 2
    },
    get problems() {
      return problems.problems
    },
    problemsChanged: problems.problemsChanged,
  })
}

function whenAborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(null)
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })
}
