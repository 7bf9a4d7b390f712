import type { Client } from '../../client/client.ts'

/** The client as an object of its own, of which a test replaces what it wants. */
export function forwardingClient(client: Client, replaced: Partial<Client> = {}): Client {
  return {
    get: (...args) => client.get(...args),
    list: (...args) => client.list(...args),
    watch: (...args) => client.watch(...args),
    create: (...args) => client.create(...args),
    update: (...args) => client.update(...args),
    patch: (...args) => client.patch(...args),
    delete: (...args) => client.delete(...args),
    deleteCollection: (...args) => client.deleteCollection(...args),
    request: (request) => client.request(request),
    websocket: (request) => client.websocket(request),
    ...replaced,
  }
}
