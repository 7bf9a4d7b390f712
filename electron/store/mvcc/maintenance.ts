import { hashImage } from '../snapshot/hash.ts'
import type { StoreImage } from '../snapshot/image.ts'
import { writeSnapshot } from '../snapshot/write-snapshot.ts'
import type { Maintenance, Snapshot } from '../store.ts'
import type { Backend, Held } from './backend.ts'
import { checkReached, compacted } from './range.ts'
import { checkCount } from './request.ts'

export interface MaintenanceDeps {
  readonly backend: Backend
  readonly held: () => Held
  /** Runs what the store does for a request, or refuses it because the store is closed. */
  readonly accept: <T>(work: () => Promise<T>) => Promise<T>
}

export function createMaintenance({ backend, held, accept }: MaintenanceDeps): Maintenance {
  return {
    snapshot: () => accept(async () => snapshotOf(await backend.image(held()))),
    hash: (revision = 0) =>
      accept(async () => {
        checkCount('revision', revision)
        const now = held()
        checkReached(revision, now.revision)
        const { compactRevision } = now.space
        if (revision > 0 && revision <= compactRevision) throw compacted(revision, compactRevision)
        await using image = await backend.image(now)
        const at = revision || image.revision
        return { hash: await hashImage(image, at), revision: at, compactRevision: image.compactRevision }
      }),
    defragment: () => accept(() => backend.defragment()),
    check: () => accept(() => backend.check()),
  }
}

/** The snapshot, with which the image goes. */
async function snapshotOf(image: StoreImage): Promise<Snapshot> {
  await using opened = new AsyncDisposableStack()
  opened.use(image)
  const snapshot = opened.use(await writeSnapshot(image))
  const held = opened.move()
  return {
    size: snapshot.size,
    revision: snapshot.revision,
    [Symbol.asyncIterator]: () => snapshot[Symbol.asyncIterator](),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}
