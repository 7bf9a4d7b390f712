/**
 * Asks servers one after the other without giving up on those asked before: who is slow may still answer while the next one is asked.
 * A server that fails outright is not asked again, and hands over at once.
 */
import { deferred } from '../../../base/async.ts'
import { deadline, type Clock } from '../../../base/clock.ts'

export interface RaceOptions<S, T> {
  /** In the order in which to ask them; asked again from the first one while none answers. */
  readonly servers: readonly S[]
  readonly ask: (server: S, signal: AbortSignal) => Promise<T>
  /** A server took longer than it should. */
  readonly onSlow: (server: S) => void
  readonly clock: Clock
  /** Milliseconds until the next one is asked too; half as much again each time. */
  readonly patience: number
  /** Milliseconds for all. */
  readonly limit: number
  readonly signal: AbortSignal
}

/** The first answer; rejects when all have failed, after `limit`, or with the signal. */
export async function race<S, T>({ servers, ask, onSlow, clock, patience, limit, signal }: RaceOptions<S, T>): Promise<T> {
  using end = deadline(clock, limit, signal)
  const result = deferred<T>()
  const left = new Set(servers)
  const losers = new AbortController()
  let turn = 0
  let wait = patience
  let open = 0
  let timer: Disposable | null = null
  let failure: unknown = new Error('there is no server to ask')

  const nextServer = (): S | undefined => {
    for (let tried = 0; tried < servers.length; tried++) {
      const server = servers[turn++ % servers.length] as S
      if (left.has(server)) return server
    }
    return undefined
  }
  const askNext = () => {
    timer?.[Symbol.dispose]()
    const server = nextServer()
    if (server === undefined) {
      if (open === 0) result.reject(failure)
      return
    }
    open++
    ask(server, losers.signal).then(
      (answer) => result.resolve(answer),
      (error: unknown) => {
        open--
        failure = error
        if ((left.delete(server) || open === 0) && !losers.signal.aborted) askNext()
      },
    )
    timer = clock.setTimeout(() => {
      onSlow(server)
      askNext()
    }, wait)
    wait *= 1.5
  }
  const onEnd = () => result.reject(end.signal.reason)
  end.signal.addEventListener('abort', onEnd, { once: true })
  try {
    signal.throwIfAborted()
    askNext()
    return await result.promise
  } finally {
    end.signal.removeEventListener('abort', onEnd)
    ;(timer as Disposable | null)?.[Symbol.dispose]()
    losers.abort(new DOMException('another answer came first', 'AbortError'))
  }
}
