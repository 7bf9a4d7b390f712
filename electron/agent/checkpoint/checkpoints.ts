/**
 * The last seen state of API objects on disk, so that a node goes on without the API server, also after it was restarted. Readable
 * by root only: Secrets are among them.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Mutex } from '../../base/async.ts'
import { messageOf, systemCode } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { groupResource } from '../../api/kind.ts'
import type { Kind } from '../../api/kind.ts'
import { writeAtomically } from './atomic-file.ts'

export class Checkpoints {
  readonly #dir: string
  readonly #random: Random
  readonly #logger: Logger
  /** By file: the write under way, and the text that was written last. */
  readonly #locks = new Map<string, Mutex>()
  readonly #written = new Map<string, string>()

  constructor(dir: string, deps: { random: Random; logger: Logger }) {
    this.#dir = dir
    this.#random = deps.random
    this.#logger = deps.logger
  }

  /** Errors are logged, not thrown: a full disk must not stop pods. */
  async save<T extends KubeObject>(kind: Kind<T>, object: T): Promise<void> {
    const file = this.#file(kind, object.metadata.namespace, object.metadata.name)
    const text = JSON.stringify(object)
    await this.#lock(file).run(async () => {
      if (this.#written.get(file) === text) return
      try {
        await mkdir(join(this.#dir, groupResource(kind)), { recursive: true, mode: 0o700 })
        await writeAtomically(file, text, this.#random)
        this.#written.set(file, text)
      } catch (error) {
        this.#logger.warn('could not save a checkpoint', { file, error: messageOf(error) })
      }
    })
  }

  async remove<T extends KubeObject>(kind: Kind<T>, namespace: string | undefined, name: string): Promise<void> {
    const file = this.#file(kind, namespace, name)
    await this.#lock(file).run(async () => {
      this.#written.delete(file)
      await rm(file, { force: true }).catch((error: unknown) =>
        this.#logger.warn('could not remove a checkpoint', { file, error: messageOf(error) }),
      )
    })
    this.#locks.delete(file)
  }

  /** undefined if it was never saved, or cannot be read. */
  async load<T extends KubeObject>(kind: Kind<T>, namespace: string | undefined, name: string): Promise<T | undefined> {
    return this.#read<T>(this.#file(kind, namespace, name))
  }

  async loadAll<T extends KubeObject>(kind: Kind<T>): Promise<T[]> {
    const folder = join(this.#dir, groupResource(kind))
    const names = await readdir(folder).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return []
      throw error
    })
    const all = await Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => this.#read<T>(join(folder, name))))
    return all.filter((object) => object !== undefined)
  }

  async #read<T extends KubeObject>(file: string): Promise<T | undefined> {
    try {
      const text = await readFile(file, 'utf8')
      const object = JSON.parse(text) as T
      this.#written.set(file, text)
      return object
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') this.#logger.warn('a checkpoint cannot be read', { file, error: messageOf(error) })
      return undefined
    }
  }

  #file(kind: { group: string; resource: string }, namespace: string | undefined, name: string): string {
    const key = namespace === undefined ? name : `${namespace}_${name}`
    return join(this.#dir, groupResource(kind), `${encodeURIComponent(key)}.json`)
  }

  #lock(file: string): Mutex {
    let lock = this.#locks.get(file)
    if (!lock) this.#locks.set(file, (lock = new Mutex()))
    return lock
  }
}
