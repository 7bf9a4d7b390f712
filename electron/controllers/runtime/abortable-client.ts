import type { Client } from '../../client/client.ts'

/** The client with calls that end when `signal` aborts, unless a call brings a signal of its own. */
export function abortableClient(client: Client, signal: AbortSignal): Client {
  const until = <T extends { readonly signal?: AbortSignal | undefined }>(options: T | undefined) => ({ signal, ...options }) as T
  return {
    get: (kind, at, options) => client.get(kind, at, until(options)),
    list: (kind, options) => client.list(kind, until(options)),
    watch: (kind, options) => client.watch(kind, until(options)),
    create: (kind, object, options) => client.create(kind, object, until(options)),
    update: (kind, object, options) => client.update(kind, object, until(options)),
    patch: (kind, at, patch, options) => client.patch(kind, at, patch, until(options)),
    delete: (kind, at, options) => client.delete(kind, at, until(options)),
    deleteCollection: (kind, options) => client.deleteCollection(kind, until(options)),
    request: (request) => client.request(until(request)),
    websocket: (request) => client.websocket(until(request)),
  }
}
