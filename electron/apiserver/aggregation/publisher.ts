/** Writes down for others what belongs to aggregation: whom extension servers can trust, and the APIServices of this server itself. */
import { apiService } from '../../api/apiregistration/v1/api-service.ts'
import type { APIService } from '../../api/apiregistration/v1/types.ts'
import { configMap } from '../../api/core/v1/config-map.ts'
import type { ConfigMap } from '../../api/core/v1/types.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { Draft, KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { thaw } from '../../machinery/freeze.ts'
import { hasReason } from '../../machinery/status.ts'
import { create } from '../registry/create.ts'
import { remove } from '../registry/delete.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { Call, Registry, WriteParameters } from '../registry/registry.ts'
import { update } from '../registry/update.ts'
import type { Resources } from '../resources.ts'
import { APISERVER } from '../rest/bootstrap.ts'
import { AUTHENTICATION_CONFIG, authenticationData } from './front-proxy.ts'
import { difference, localServices } from './local-services.ts'

export interface PublisherOptions {
  readonly registry: Registry
  readonly resources: Resources
  readonly lookup: Lookup
}

const WRITE: WriteParameters = { dryRun: false, fieldManager: '', fieldValidation: 'Strict', force: false }

export class Publisher {
  readonly #options: PublisherOptions
  readonly #signal: AbortSignal

  constructor(options: PublisherOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  /** `caPem`: the authority of this server's front-proxy certificate; `clientCa`: that of its clients. */
  async trust(caPem: string, clientCa: string): Promise<void> {
    const { lookup } = this.#options
    const { namespace, name } = AUTHENTICATION_CONFIG
    const data = (before?: ConfigMap | null) => authenticationData(caPem, clientCa, before?.data)
    const present = await lookup.get<ConfigMap>(configMap, namespace, name)
    if (!present) await this.#create<ConfigMap>(configMap, { metadata: { name, namespace }, data: data() })
    else if (!semanticEqual(present.data, data(present))) {
      const make = (old: KubeObject | null) => {
        const object: ConfigMap = thaw((old ?? present) as ConfigMap)
        return { ...object, data: data(object) }
      }
      const call = this.#call(configMap, namespace, name)
      if (call) await update(this.#options.registry, call, { part: 'main', make }, WRITE)
    }
  }

  async register(): Promise<void> {
    const { lookup, registry, resources } = this.#options
    const { missing, gone } = difference(localServices(resources.kinds()), await lookup.list<APIService>(apiService))
    for (const draft of missing) await this.#create<APIService>(apiService, draft)
    for (const name of gone) {
      const call = this.#call(apiService, '', name)
      if (call) await remove(registry, call, {}).catch(ignore('NotFound'))
    }
  }

  /** Nothing if it is there already, or the server does not have the kind. */
  async #create<T extends KubeObject>(kind: AnyKind, draft: Draft<T>): Promise<void> {
    const { name = '', namespace = '' } = draft.metadata ?? {}
    const call = this.#call(kind, namespace, '')
    if (!call || (await this.#options.lookup.get(kind, namespace, name))) return
    const object = this.#options.registry.types.fromValue(kind, draft, 'Strict', () => {})
    await create(this.#options.registry, call, object, WRITE).catch(ignore('AlreadyExists'))
  }

  #call({ group, version, resource: plural }: AnyKind, namespace: string, name: string): Call | null {
    const resource = this.#options.resources.find(group, version, plural)
    if (!resource) return null
    return { resource, namespace, name, subresource: '', user: APISERVER, manager: 'kube-apiserver', signal: this.#signal, warn() {} }
  }
}

function ignore(reason: 'NotFound' | 'AlreadyExists') {
  return (error: unknown) => {
    if (!hasReason(error, reason)) throw error
  }
}
