/** Removes images that no container uses when the disk fills up. Source: kubernetes `kubelet/images/image_gc_manager.go`. */
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Cri } from '../../runtime/cri.ts'
import type { ImageInfo } from '../../runtime/cri-types.ts'
import type { DiskSpace } from '../node/machine.ts'

export interface ImageGcDeps {
  readonly cri: Cri
  readonly clock: Clock
  readonly logger: Logger
  /** The disk of images. */
  readonly disk: () => Promise<DiskSpace>
  /** Names or ids of images that are never removed. */
  readonly keep: readonly string[]
}

/** Parts of the disk: begin above, stop below. */
const HIGH = 0.85
const LOW = 0.8
/** Milliseconds that an image is kept at least. */
const MIN_AGE = 2 * 60_000

export class ImageGc {
  readonly #deps: ImageGcDeps
  readonly #seen = new Map<string, { first: number; used: number }>()

  constructor(deps: ImageGcDeps) {
    this.#deps = deps
  }

  /** An image is about to be used. */
  touch(id: string): void {
    const now = this.#deps.clock.now()
    this.#seen.set(id, { first: this.#seen.get(id)?.first ?? now, used: now })
  }

  /** Frees space if the disk is full, or with `all` whatever is free to go; returns the bytes that went. */
  async collect(all = false): Promise<number> {
    const { cri, disk } = this.#deps
    const unused = await this.#unused()
    const { capacity, available } = await disk()
    const used = capacity - available
    if (!all && used < capacity * HIGH) return 0
    let toFree = all ? Infinity : used - capacity * LOW
    let freed = 0
    for (const image of unused) {
      if (toFree <= 0) break
      try {
        await cri.removeImage(image.id)
        this.#seen.delete(image.id)
        toFree -= image.size
        freed += image.size
      } catch (error) {
        this.#deps.logger.warn('an image could not be removed', { image: image.tags[0] ?? image.id, error: messageOf(error) })
      }
    }
    return freed
  }

  /** The longest unused first. */
  async #unused(): Promise<ImageInfo[]> {
    const { cri, clock, keep } = this.#deps
    const now = clock.now()
    const [images, containers] = await Promise.all([cri.listImages(), cri.listContainers()])
    const inUse = new Set(containers.flatMap(({ image, imageRef }) => [image, imageRef]))
    const isNamed = ({ id, tags, digests }: ImageInfo, names: (name: string) => boolean) => [id, ...tags, ...digests].some(names)
    for (const image of images) {
      if (!this.#seen.has(image.id)) this.#seen.set(image.id, { first: now, used: 0 })
      if (isNamed(image, (name) => inUse.has(name))) this.touch(image.id)
    }
    for (const id of this.#seen.keys()) if (!images.some((image) => image.id === id)) this.#seen.delete(id)
    return images
      .filter((image) => !image.pinned && !isNamed(image, (name) => keep.includes(name)) && !isNamed(image, (name) => inUse.has(name)))
      .filter(({ id }) => now - (this.#seen.get(id)?.first ?? now) >= MIN_AGE)
      .toSorted((a, b) => (this.#seen.get(a.id)?.used ?? 0) - (this.#seen.get(b.id)?.used ?? 0))
  }
}
