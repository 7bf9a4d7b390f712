/** Read-only views of images' files, for volumes of type image: containerd's snapshots, mounted where the volume is wanted. */
import { Snapshots } from './gen/containerd/snapshots_pb.js'
import type { GrpcConnection } from './grpc.ts'
import { hasCode } from './runtime-error.ts'

export interface MountSpec {
  /** "overlay", "bind". */
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

export interface ImageViews {
  /** Makes the view `key` of the layers named by `chainId`, or finds it again; returns how to mount it. */
  view(key: string, chainId: string): Promise<MountSpec[]>
  remove(key: string): Promise<void>
}

const CALL = 60_000

export class SnapshotViews implements ImageViews {
  readonly #connection: GrpcConnection
  readonly #snapshotter: () => Promise<string>
  readonly #now: () => number

  /** `connection` with the header `containerd-namespace`. */
  constructor(connection: GrpcConnection, snapshotter: () => Promise<string>, now: () => number) {
    this.#connection = connection
    this.#snapshotter = snapshotter
    this.#now = now
  }

  async view(key: string, parent: string): Promise<MountSpec[]> {
    const snapshotter = await this.#snapshotter()
    // Without this label containerd's garbage collector takes a view that no container uses.
    const labels = { 'containerd.io/gc.root': new Date(this.#now()).toISOString() }
    const mounts = async () => {
      try {
        return await this.#connection.unary(Snapshots.method.view, { snapshotter, key, parent, labels }, { timeout: CALL })
      } catch (error) {
        if (hasCode(error, 'NotFound')) throw new Error('the layers of the image are not unpacked on this node', { cause: error })
        if (!hasCode(error, 'AlreadyExists')) throw error
        return await this.#connection.unary(Snapshots.method.mounts, { snapshotter, key }, { timeout: CALL })
      }
    }
    return (await mounts()).mounts.map(({ type, source, options }) => ({ type, source, options }))
  }

  async remove(key: string): Promise<void> {
    try {
      await this.#connection.unary(Snapshots.method.remove, { snapshotter: await this.#snapshotter(), key }, { timeout: CALL })
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error
    }
  }
}
