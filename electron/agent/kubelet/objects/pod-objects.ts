/** The ConfigMaps and Secrets that pods of this node refer to: watched as long as one does, and found on disk without the API server. */
import { Emitter } from '../../../base/events.ts'
import type { ConfigMap, Pod, Secret } from '../../../api/core/v1/types.gen.ts'
import { configMap } from '../../../api/core/v1/config-map.ts'
import { secret } from '../../../api/core/v1/secret.ts'
import { notFound } from '../../../machinery/status.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import { referencesOf } from './references.ts'
import { WatchedObject } from './watched-object.ts'
import type { WatchedObjectDeps } from './watched-object.ts'

type Watched = WatchedObject<ConfigMap> | WatchedObject<Secret>

export class PodObjects implements ReferencedObjects, AsyncDisposable {
  /** The uid of a pod of which a referenced object changed. */
  readonly changed = new Emitter<string>()
  readonly #deps: WatchedObjectDeps
  /** By "configmaps/namespace/name". */
  readonly #watched = new Map<string, { object: Watched; pods: Set<string> }>()

  constructor(deps: WatchedObjectDeps) {
    this.#deps = deps
  }

  /** Watches what the pod refers to, and no longer what it referred to before. */
  register(pod: Pod): void {
    const { uid, namespace = '' } = pod.metadata
    const { configMaps, secrets } = referencesOf(pod)
    const wanted = new Set([
      ...[...configMaps].map((name) => keyOf('configmaps', namespace, name)),
      ...[...secrets].map((name) => keyOf('secrets', namespace, name)),
    ])
    for (const name of configMaps) this.#add('configmaps', namespace, name, uid)
    for (const name of secrets) this.#add('secrets', namespace, name, uid)
    for (const [key, { pods }] of this.#watched) if (!wanted.has(key) && pods.delete(uid) && pods.size === 0) this.#drop(key)
  }

  unregister(uid: string): void {
    for (const [key, { pods }] of this.#watched) if (pods.delete(uid) && pods.size === 0) this.#drop(key)
  }

  async configMap(namespace: string, name: string): Promise<ConfigMap | null> {
    const entry = this.#watched.get(keyOf('configmaps', namespace, name))
    if (!entry) throw notFound(configMap, name)
    return (entry.object as WatchedObject<ConfigMap>).get()
  }

  async secret(namespace: string, name: string): Promise<Secret | null> {
    const entry = this.#watched.get(keyOf('secrets', namespace, name))
    if (!entry) throw notFound(secret, name)
    return (entry.object as WatchedObject<Secret>).get()
  }

  /** Ends the watches; checkpoints stay for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#watched.values()]
    this.#watched.clear()
    await Promise.all(all.map(({ object }) => object.stop()))
  }

  #add(resource: 'configmaps' | 'secrets', namespace: string, name: string, uid: string): void {
    const key = keyOf(resource, namespace, name)
    let entry = this.#watched.get(key)
    if (!entry) {
      const pods = new Set<string>()
      const onChange = () => pods.forEach((pod) => this.changed.emit(pod))
      const at = { namespace, name }
      const object =
        resource === 'configmaps'
          ? new WatchedObject(configMap, at, this.#deps, onChange)
          : new WatchedObject(secret, at, this.#deps, onChange)
      this.#watched.set(key, (entry = { object, pods }))
    }
    entry.pods.add(uid)
  }

  #drop(key: string): void {
    const entry = this.#watched.get(key)
    this.#watched.delete(key)
    if (entry) void this.#forget(key, entry.object)
  }

  async #forget(key: string, object: Watched): Promise<void> {
    await object.stop()
    // Another pod may have begun to refer to it meanwhile.
    if (!this.#watched.has(key)) await object.removeCheckpoint()
  }
}

function keyOf(resource: string, namespace: string, name: string): string {
  return `${resource}/${namespace}/${name}`
}
