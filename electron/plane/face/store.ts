/** The `store.*` channels. */
import { FlotillaError, type ErrorCode } from '../../base/errors.ts'
import type { Channels } from '../../contracts/channels.ts'
import type { Handlers } from '../../contracts/server.ts'
import { type Store, StoreError, type StoreErrorCode } from '../../store/store.ts'

/** How many bytes one message carries at the most. */
const PIECE = 1024 * 1024

export function storeHandlers(store: Store): Pick<Handlers<Channels>, 'store.snapshot'> {
  return {
    async 'store.snapshot'(_arg, duplex) {
      try {
        await using snapshot = await store.maintenance.snapshot()
        await duplex.send({ type: 'begin', size: snapshot.size, revision: snapshot.revision })
        for await (const chunk of snapshot) {
          for (let at = 0; at < chunk.byteLength; at += PIECE) await duplex.send({ type: 'bytes' }, chunk.subarray(at, at + PIECE))
        }
      } catch (error) {
        throw snapshotError(error)
      }
    },
  }
}

const CODES: Partial<Record<StoreErrorCode, ErrorCode>> = {
  corrupt: 'STATE_UNREADABLE',
  noSpace: 'DISK_FULL',
  unavailable: 'PLANE_UNREACHABLE',
  closed: 'PLANE_UNREACHABLE',
}

/** What a person is told when a snapshot could not be taken. */
export function snapshotError(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  const code = CODES[error.code] ?? 'INTERNAL'
  const next =
    code === 'STATE_UNREADABLE' ? 'Restore the newest snapshot that is whole.' : 'Look at the log in the state folder, then try again.'
  return new FlotillaError(code, { what: 'No snapshot was taken.', why: `${error.message.replace(/\.$/, '')}.`, next, cause: error })
}
