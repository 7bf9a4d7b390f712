/** The names of all Services, made when they are asked for and kept until their Service or its endpoints change. */
import type { ClusterState } from '../../net/state/cluster-state.ts'
import { serviceNames, type ServiceNames } from './service-names.ts'

type State = Pick<ClusterState, 'known' | 'services' | 'slicesOf' | 'changed'>

export class ServiceIndex implements Disposable {
  readonly #state: State
  readonly #names = new Map<string, ServiceNames | null>()
  /** By address, the names that it has by its Services; and by Service, the addresses that it put there. */
  readonly #byAddress = new Map<string, Set<string>>()
  readonly #addresses = new Map<string, ReadonlyMap<string, readonly string[]>>()
  /** Services whose addresses are to be looked at again; null: all. */
  #stale: Set<string> | null = null
  #namespaces: ReadonlySet<string> | null = null
  readonly #listening: Disposable

  constructor(state: State) {
    this.#state = state
    this.#listening = state.changed.on(({ services }) => {
      if (services === null) this.#names.clear()
      else for (const key of services) this.#names.delete(key)
      if (services === null) this.#stale = null
      else for (const key of services) this.#stale?.add(key)
      if (services === null || services.size) this.#namespaces = null
    })
  }

  /** Whether it is known what the cluster has. */
  get known(): boolean {
    return this.#state.known
  }

  /** Null if there is no such Service, or none with a name. */
  get(namespace: string, name: string): ServiceNames | null {
    const key = `${namespace}/${name}`
    let found = this.#names.get(key)
    if (found === undefined) {
      const service = this.#state.services.get(key)
      if (!service) return null
      found = serviceNames(service, this.#state.slicesOf(key))
      this.#names.set(key, found)
    }
    return found
  }

  /** Whether a Service is in it. */
  hasNamespace(namespace: string): boolean {
    this.#namespaces ??= new Set([...this.#state.services.values()].map((service) => service.namespace))
    return this.#namespaces.has(namespace)
  }

  /** Below the zone of Services: "kubernetes.default", "db-0.db.shop". */
  namesOf(address: string): readonly string[] {
    this.#refresh()
    return [...(this.#byAddress.get(address) ?? [])]
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]()
  }

  #refresh(): void {
    const keys = this.#stale ?? new Set([...this.#state.services.keys(), ...this.#addresses.keys()])
    this.#stale = new Set()
    for (const key of keys) {
      for (const [address, names] of this.#addresses.get(key) ?? []) {
        const known = this.#byAddress.get(address)
        for (const name of names) known?.delete(name)
        if (known?.size === 0) this.#byAddress.delete(address)
      }
      const found = this.#addressesOf(key)
      for (const [address, names] of found) {
        const known = this.#byAddress.get(address) ?? new Set()
        for (const name of names) known.add(name)
        this.#byAddress.set(address, known)
      }
      if (found.size) this.#addresses.set(key, found)
      else this.#addresses.delete(key)
    }
  }

  #addressesOf(key: string): ReadonlyMap<string, readonly string[]> {
    const [namespace = '', name = ''] = key.split('/')
    const names = this.get(namespace, name)
    const own = `${name}.${namespace}`
    const out = new Map<string, string[]>()
    if (!names) return out
    if (!names.headless) return new Map(names.addresses.map((address) => [address, [own]]))
    for (const [host, addresses] of names.hosts) {
      for (const address of addresses) out.set(address, [...(out.get(address) ?? []), `${host}.${own}`])
    }
    return out
  }
}
