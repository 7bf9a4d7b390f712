import type { Client } from '../../client/client.ts'

/** The client with some of its calls in another way: for faults, delays and what happens in between. */
export function overrideClient(client: Client, calls: Partial<Client>): Client {
  return {
    get: (kind, at, options) => client.get(kind, at, options),
    list: (kind, options) => client.list(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    create: (kind, object, options) => client.create(kind, object, options),
    update: (kind, object, options) => client.update(kind, object, options),
    patch: (kind, at, patch, options) => client.patch(kind, at, patch, options),
    delete: (kind, at, options) => client.delete(kind, at, options),
    deleteCollection: (kind, options) => client.deleteCollection(kind, options),
    request: (request) => client.request(request),
    websocket: (request) => client.websocket(request),
    ...calls,
  }
}
