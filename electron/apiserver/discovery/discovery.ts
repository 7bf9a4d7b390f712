/** /api, /apis and what is below them: the legacy documents, and the aggregated one where the client asks for it. */
import { createHash } from 'node:crypto'
import { encodeValue } from '../http/encode.ts'
import type { Negotiator } from '../http/negotiate.ts'
import { parseAccept } from '../http/negotiate.ts'
import type { Resources } from '../resources.ts'
import type { ApiRequest, ApiResponse, RequestHandler } from '../types.ts'
import { pageNotFound } from '../http/response.ts'
import {
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  type Group,
  groupDiscoveryList,
  groupsOf,
  type RemoteVersion,
} from './documents.ts'

const AGGREGATED = ['v2', 'v2beta1'] as const
const GROUP = 'apidiscovery.k8s.io'
const LIST = 'APIGroupDiscoveryList'

export interface DiscoveryOptions {
  readonly resources: Resources
  readonly negotiator: Negotiator
  /** What other servers have; `generation` changes whenever that does. */
  readonly remote?: () => { readonly generation: number; versions(): readonly RemoteVersion[] } | null
  /** "127.0.0.1:6443", as clients should reach the server. */
  readonly address: () => string
}

export class Discovery {
  readonly #options: DiscoveryOptions
  #groups: readonly Group[] = []
  #aggregated = new Map<string, { bytes: Buffer; etag: string }>()
  #generation = ''

  constructor(options: DiscoveryOptions) {
    this.#options = options
  }

  /** By path, as the pipeline takes them. */
  get handlers(): Readonly<Record<string, RequestHandler>> {
    const core: RequestHandler = async (request) =>
      this.#aggregate(request, true) ?? this.#plain(request, apiVersions(this.#options.address()))
    const groups: RequestHandler = async (request) => this.#aggregate(request, false) ?? this.#plain(request, apiGroupList(this.#current()))
    return {
      '/api': core,
      '/apis': groups,
      '/api/': async (request) => {
        const rest = segmentsBelow(request)
        return rest.length ? this.#below(request, '', rest) : core(request)
      },
      '/apis/': async (request) => {
        const [group, ...rest] = segmentsBelow(request)
        return group === undefined ? groups(request) : this.#below(request, group, rest)
      },
    }
  }

  /** Of every group and version that is served. */
  paths(): string[] {
    return this.#current().flatMap(({ name, versions }) => {
      const root = name === '' ? '/api' : `/apis/${name}`
      return [...(name === '' ? [] : [root]), ...versions.map(({ version }) => `${root}/${version}`)]
    })
  }

  #below(request: ApiRequest, name: string, rest: readonly string[]): ApiResponse {
    const group = this.#current().find((g) => g.name === name)
    if (!group || rest.length > 1) return pageNotFound()
    if (rest.length === 0) return this.#plain(request, apiGroup(group))
    const version = group.versions.find((v) => v.version === rest[0])
    return version ? this.#plain(request, apiResourceList(name, version)) : pageNotFound()
  }

  #plain(request: ApiRequest, document: unknown): ApiResponse {
    return encodeValue(document, this.#options.negotiator.output(request.headers, request.query, false), 200)
  }

  /** Null if the client wants the legacy form. */
  #aggregate(request: ApiRequest, core: boolean): ApiResponse | null {
    const version = wantedVersion(request.headers['accept'])
    if (!version) return null
    const groups = this.#current()
    const key = `${core ? 'api' : 'apis'}/${version}`
    let known = this.#aggregated.get(key)
    if (!known) {
      const document = groupDiscoveryList(
        groups.filter((g) => (g.name === '') === core),
        `${GROUP}/${version}`,
      )
      const bytes = Buffer.from(`${JSON.stringify(document)}\n`)
      known = { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` }
      this.#aggregated.set(key, known)
    }
    const headers = { 'content-type': `application/json;g=${GROUP};v=${version};as=${LIST}`, etag: known.etag, vary: 'Accept' }
    if (request.headers['if-none-match'] === known.etag) return { status: 304, headers, body: new Uint8Array() }
    return { status: 200, headers, body: known.bytes }
  }

  #current(): readonly Group[] {
    const { resources } = this.#options
    const remote = this.#options.remote?.() ?? null
    const generation = `${resources.generation} ${remote?.generation ?? 0}`
    if (this.#generation !== generation) {
      this.#generation = generation
      this.#groups = groupsOf(resources.kinds(), remote?.versions())
      this.#aggregated = new Map()
    }
    return this.#groups
  }
}

/** What follows the root: none for "/apis/", which is "/apis" to clients that end every path with a slash. */
function segmentsBelow({ path }: ApiRequest): string[] {
  return path.split('/').filter(Boolean).slice(1)
}

/** The aggregated form that the client prefers to plain JSON. */
function wantedVersion(accept: string | undefined): (typeof AGGREGATED)[number] | null {
  if (!accept?.includes(LIST)) return null
  for (const { type, params } of parseAccept(accept)) {
    if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') continue
    if (params['as'] === undefined) return null
    const version = AGGREGATED.find((v) => v === params['v'])
    if (params['as'] === LIST && params['g'] === GROUP && version) return version
  }
  return null
}
