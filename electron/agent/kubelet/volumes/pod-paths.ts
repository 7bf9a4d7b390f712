/** Where a pod's files lie, as kubelet lays them out. */
import { join } from 'node:path'

export class PodPaths {
  readonly #root: string

  /** `stateDir` of the agent. */
  constructor(stateDir: string) {
    this.#root = join(stateDir, 'pods')
  }

  /** Holds a folder per pod, by uid. */
  get root(): string {
    return this.#root
  }

  pod(uid: string): string {
    return join(this.#root, uid)
  }

  /** `plugin` as "empty-dir". */
  volume(uid: string, plugin: string, name: string): string {
    return join(this.pod(uid), 'volumes', `kubernetes.io~${plugin}`, name)
  }

  subPath(uid: string, volume: string, container: string, index: number): string {
    return join(this.pod(uid), 'volume-subpaths', volume, container, String(index))
  }

  /** Holds the files that a container writes its last words to. */
  container(uid: string, container: string): string {
    return join(this.pod(uid), 'containers', container)
  }

  /** Tokens of the pod's service account. */
  tokens(uid: string): string {
    return join(this.pod(uid), 'tokens.json')
  }

  hostsFile(uid: string): string {
    return join(this.pod(uid), 'etc-hosts')
  }
}
