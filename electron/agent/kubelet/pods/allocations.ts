/**
 * The resources that this node has given to its pods, which may lag behind what they ask for while a resize waits (KEP-1287). On disk,
 * so that a restart of the agent neither gives away nor takes back anything.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Mutex } from '../../../base/async.ts'
import { messageOf, systemCode } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Random } from '../../../base/random.ts'
import type { Container, Pod, ResourceRequirements } from '../../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../../api/values/equal.ts'
import { writeAtomically } from '../../checkpoint/atomic-file.ts'

type ByContainer = Readonly<Record<string, ResourceRequirements>>

interface Entry {
  readonly allocated: ByContainer
  /** What running containers have until a resize is carried out; absent: what is allocated. */
  readonly before?: ByContainer
}

export class Allocations {
  readonly #file: string
  readonly #random: Random
  readonly #logger: Logger
  readonly #lock = new Mutex()
  #entries = new Map<string, Entry>()

  constructor(file: string, deps: { random: Random; logger: Logger }) {
    this.#file = file
    this.#random = deps.random
    this.#logger = deps.logger
  }

  async load(): Promise<void> {
    try {
      this.#entries = new Map(Object.entries(JSON.parse(await readFile(this.#file, 'utf8')) as Record<string, Entry>))
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') this.#logger.warn('the allocations cannot be read', { error: messageOf(error) })
    }
  }

  /** The pod with the resources that it was given; as it asks if it is new. */
  allocated(pod: Pod): Pod {
    const entry = this.#entries.get(pod.metadata.uid)
    return entry ? withResources(pod, entry.allocated) : pod
  }

  /** Whether the pod asks for other resources than it was given. */
  differs(pod: Pod): boolean {
    const entry = this.#entries.get(pod.metadata.uid)
    return entry !== undefined && !semanticEqual(resourcesOf(pod), entry.allocated)
  }

  /** Gives a new pod what it asks for. */
  async admit(pod: Pod): Promise<void> {
    if (this.#entries.has(pod.metadata.uid)) return
    this.#entries.set(pod.metadata.uid, { allocated: resourcesOf(pod) })
    await this.#save()
  }

  /** Gives a running pod what it asks for now; its containers are still to be changed. */
  async resize(pod: Pod): Promise<void> {
    const old = this.#entries.get(pod.metadata.uid)
    const before = old?.before ?? old?.allocated
    this.#entries.set(pod.metadata.uid, { allocated: resourcesOf(pod), ...(before ? { before } : {}) })
    await this.#save()
  }

  isPending(uid: string): boolean {
    return this.#entries.get(uid)?.before !== undefined
  }

  before(uid: string): ReadonlyMap<string, ResourceRequirements> | null {
    const before = this.#entries.get(uid)?.before
    return before ? new Map(Object.entries(before)) : null
  }

  /** The containers have what is allocated. */
  async settle(uid: string): Promise<void> {
    const entry = this.#entries.get(uid)
    if (!entry) return
    this.#entries.set(uid, { allocated: entry.allocated })
    await this.#save()
  }

  async forget(uid: string): Promise<void> {
    if (this.#entries.delete(uid)) await this.#save()
  }

  async #save(): Promise<void> {
    await this.#lock.run(async () => {
      try {
        await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 })
        await writeAtomically(this.#file, JSON.stringify(Object.fromEntries(this.#entries)), this.#random)
      } catch (error) {
        this.#logger.warn('the allocations cannot be saved', { error: messageOf(error) })
      }
    })
  }
}

function resourcesOf({ spec }: Pod): ByContainer {
  return Object.fromEntries([...spec.containers, ...(spec.initContainers ?? [])].map(({ name, resources }) => [name, resources]))
}

function withResources(pod: Pod, allocated: ByContainer): Pod {
  const give = (container: Container): Container => {
    const resources = allocated[container.name]
    return resources ? { ...container, resources } : container
  }
  const { spec } = pod
  const initContainers = spec.initContainers?.map(give)
  return { ...pod, spec: { ...spec, containers: spec.containers.map(give), ...(initContainers ? { initContainers } : {}) } }
}
