import type { Random } from '../../base/random.ts'
import { conflict, unavailable } from '../../machinery/status.ts'
import type { Client } from '../client.ts'

export interface Faults {
  /** Share of calls that fail before they reach the server, 0 to 1. */
  unavailable?: number
  /** Share of writes that are done while the caller is told that they failed. */
  lostAnswers?: number
  /** Share of updates that are refused with a conflict. */
  conflicts?: number
  /** Share of watch events after which the watch breaks. */
  brokenWatches?: number
  /** While true, nothing reaches the server and all watches break. */
  partitioned?: boolean
  /** While true, nothing reaches the server, and no call is ever answered. */
  silent?: boolean
}

/** The client with faults thrown in, by seed. `faults` may be changed at any time. */
export function faultyClient(client: Client, faults: Faults, random: Random): Client {
  const happens = (share: number | undefined) => (share ?? 0) > 0 && random.float() < (share ?? 0)
  const down = () => unavailable('injected fault: connection refused')

  const before = async () => {
    if (faults.silent) await new Promise(() => undefined)
    if (faults.partitioned || happens(faults.unavailable)) throw down()
  }
  const read = async <T>(call: () => Promise<T>): Promise<T> => {
    await before()
    return call()
  }
  const write = async <T>(call: () => Promise<T>): Promise<T> => {
    await before()
    const result = await call()
    if (faults.partitioned || happens(faults.lostAnswers)) throw unavailable('injected fault: connection reset after the request')
    return result
  }

  return {
    get: (kind, at, options) => read(() => client.get(kind, at, options)),
    list: (kind, options) => read(() => client.list(kind, options)),
    create: (kind, object, options) => write(() => client.create(kind, object, options)),
    update: async (kind, object, options) => {
      if (happens(faults.conflicts)) throw conflict({ group: kind.group, resource: kind.resource }, object.metadata.name, 'injected fault')
      return write(() => client.update(kind, object, options))
    },
    patch: (kind, at, patch, options) => write(() => client.patch(kind, at, patch, options)),
    delete: (kind, at, options) => write(() => client.delete(kind, at, options)),
    deleteCollection: (kind, options) => write(() => client.deleteCollection(kind, options)),
    request: (request) => (request.method === 'GET' ? read(() => client.request(request)) : write(() => client.request(request))),
    websocket: (request) => read(() => client.websocket(request)),
    async *watch(kind, options) {
      await before()
      for await (const event of client.watch(kind, options)) {
        if (faults.partitioned) throw down()
        yield event
        if (happens(faults.brokenWatches)) throw down()
      }
    },
  }
}
