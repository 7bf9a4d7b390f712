import { encodeValue } from './http/encode.ts'
import type { Negotiator } from './http/negotiate.ts'
import type { RequestHandler } from './types.ts'

/** Handlers of what is not a resource, by path. One whose path ends with a slash stands for everything below, if nothing nearer does. */
export class Paths {
  readonly #handlers = new Map<string, RequestHandler>()

  add(handlers: Readonly<Record<string, RequestHandler>>): void {
    for (const [path, handler] of Object.entries(handlers)) this.#handlers.set(path, handler)
  }

  find(path: string): RequestHandler | undefined {
    const exact = this.#handlers.get(path)
    if (exact) return exact
    for (let end = path.lastIndexOf('/', path.length - 2); end >= 0; end = path.lastIndexOf('/', end - 1)) {
      const below = end > 0 || path === '/' ? this.#handlers.get(path.slice(0, end + 1)) : undefined
      if (below) return below
      if (end === 0) break
    }
    return undefined
  }

  /** `/`: what else there is. */
  index(negotiator: Negotiator, more: () => readonly string[]): RequestHandler {
    return async (request) => {
      const own = [...this.#handlers.keys()].filter((path) => path !== '/' && !path.endsWith('/'))
      const paths = [...new Set([...own, ...more()])].sort()
      return encodeValue({ paths }, negotiator.output(request.headers, request.query, false), 200)
    }
  }
}
