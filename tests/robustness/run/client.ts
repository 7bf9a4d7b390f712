import { type Clock, sleep } from '../../../electron/base/clock.ts'
import { type Key, type KeyValue, type LeaseId, StoreError } from '../../../electron/store/store.ts'
import type { Call, History, Operation } from '../history.ts'
import type { StoreClient } from '../host/host-process.ts'
import type { Intent } from '../schedule/intents.ts'
import { resolveIntent } from './resolve-intent.ts'
import type { Server } from './server.ts'

/** After the store has refused because of its disk, in milliseconds. */
const PATIENCE = 5

export interface ClientDeps {
  readonly name: string
  readonly number: number
  readonly history: History
  readonly server: Server
  readonly clock: Clock
  /** No compaction beyond this revision, so that one watcher sees everything. */
  readonly compactable: () => number
}

/** One client: it asks for what its plan says, one after the other, and remembers what it saw. */
export class Client {
  readonly #deps: ClientDeps
  readonly leases: LeaseId[] = []
  readonly seen = new Map<Key, KeyValue>()
  #values = 0
  #granted = 0

  constructor(deps: ClientDeps) {
    this.#deps = deps
  }

  async run(plan: readonly (readonly Intent[])[]): Promise<void> {
    for (const group of plan) {
      await Promise.all(group.map((intent) => this.#askFor(intent)))
    }
  }

  async #askFor(intent: Intent): Promise<void> {
    await this.ask(resolveIntent(intent, this.#knowledge()))
    this.#deps.history.answered++
  }

  /** Resolves when it is answered, or cut off. */
  async ask(call: Call): Promise<Operation> {
    const { history, server, clock, name } = this.#deps
    await server.whenUp()
    const operation = history.begin(name, call)
    try {
      operation.call = await perform(server.client, call)
      history.end(operation, 'answered')
      this.#learn(operation.call)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      history.end(operation, error.code === 'unavailable' ? 'unknown' : error.code, error.message)
      if (error.code === 'unavailable' || error.code === 'noSpace') await sleep(clock, PATIENCE)
    }
    return operation
  }

  #knowledge() {
    const { number, history, compactable } = this.#deps
    return {
      newest: history.newest,
      compactable: compactable(),
      seen: this.seen,
      leases: this.leases,
      value: (size: number) => Buffer.from(`${number}.${++this.#values}.${'x'.repeat(size)}`),
      freshLease: () => BigInt(number * 100_000 + ++this.#granted),
    }
  }

  #learn(call: Call): void {
    const { history } = this.#deps
    switch (call.type) {
      case 'grant':
        this.leases.push(call.id)
        return
      case 'range':
        history.tell(call.answer?.revision)
        if (!call.request.keysOnly && !call.request.revision) this.#see(call.answer?.kvs ?? [])
        return
      case 'txn': {
        history.tell(call.answer?.revision)
        for (const response of call.answer?.responses ?? []) if (response.type === 'range') this.#see(response.kvs)
        return
      }
      default:
        return
    }
  }

  #see(kvs: readonly KeyValue[]): void {
    for (const kv of kvs) this.seen.set(kv.key, kv)
  }
}

async function perform(store: StoreClient, call: Call): Promise<Call> {
  switch (call.type) {
    case 'range':
      return { ...call, answer: await store.range(call.request) }
    case 'txn':
      return { ...call, answer: await store.txn(call.request) }
    case 'compact':
      await store.compact(call.revision)
      return { ...call, answer: true }
    case 'grant':
      return { ...call, answer: await store.lease.grant(call.ttl, call.id) }
    case 'keepAlive':
      return { ...call, answer: await store.lease.keepAlive(call.id) }
    case 'revoke':
      return { ...call, answer: await store.lease.revoke(call.id) }
    case 'timeToLive':
      return { ...call, answer: await store.lease.timeToLive(call.id, { keys: true }) }
    case 'leases':
      return { ...call, answer: await store.lease.list() }
    case 'past':
      if (!store.history) throw new Error('the engine has no history')
      return { ...call, answer: await store.history.range(call.request) }
    case 'check':
      return { ...call, answer: await store.maintenance.check() }
    case 'defragment':
      await store.maintenance.defragment()
      return { ...call, answer: true }
    case 'status':
      return { ...call, answer: await store.status() }
  }
}
