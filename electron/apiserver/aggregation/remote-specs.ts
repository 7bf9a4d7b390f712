/** The OpenAPI 2.0 documents of aggregated servers, asked for when somebody wants the whole and kept for a while. */
import type { APIService } from '../../api/apiregistration/v1/types.ts'
import { apiVersionOf } from '../../api/kind.ts'
import type { Clock } from '../../base/clock.ts'
import type { RemoteSpec } from '../openapi/merge-v2.ts'
import type { Aggregated } from './aggregator.ts'

/** In milliseconds. */
const FRESH = 60_000

interface Known {
  readonly document: unknown
  readonly at: number
}

export interface RemoteSpecsOptions {
  /** Rejects if there is no answer, or none that is JSON. */
  readonly fetchJson: (spec: APIService['spec'], path: string) => Promise<unknown>
  readonly clock: Clock
}

export class RemoteSpecs {
  readonly #options: RemoteSpecsOptions
  /** By the APIService's uid and generation of its spec. */
  readonly #known = new Map<string, Known>()
  #last: readonly RemoteSpec[] = []

  constructor(options: RemoteSpecsOptions) {
    this.#options = options
  }

  /** The same list as before if nothing changed. Of who does not answer, what it said last. */
  async all(servers: readonly Aggregated[]): Promise<readonly RemoteSpec[]> {
    const keys = new Set(servers.map(({ service }) => keyOf(service)))
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key)
    const found = await Promise.all(
      servers.map(async ({ service }): Promise<RemoteSpec[]> => {
        const { group = '', version = '' } = service.spec
        const document = await this.#document(service)
        return document === undefined ? [] : [{ root: `/apis/${apiVersionOf({ group, version })}`, document }]
      }),
    )
    const specs = found.flat()
    const last = this.#last
    const isSame =
      specs.length === last.length && specs.every(({ root, document }, i) => last[i]?.root === root && last[i].document === document)
    if (!isSame) this.#last = specs
    return this.#last
  }

  async #document(service: APIService): Promise<unknown> {
    const { clock, fetchJson } = this.#options
    const key = keyOf(service)
    const known = this.#known.get(key)
    if (known && clock.monotonic() - known.at < FRESH) return known.document
    const document = await fetchJson(service.spec, '/openapi/v2').catch(() => undefined)
    const same = document === undefined || JSON.stringify(document) === JSON.stringify(known?.document)
    const kept = same ? known?.document : document
    this.#known.set(key, { document: kept, at: clock.monotonic() })
    return kept
  }
}

function keyOf({ metadata, spec }: APIService): string {
  return `${metadata.uid} ${JSON.stringify(spec)}`
}
