/** The objects of a cluster of some size, as both stores get them. */
import type { Store } from '../../electron/store/store.ts'

export const OBJECTS = 100_000
/** Bytes, about what a pod has. */
export const OBJECT_SIZE = 3600
const AT_ONCE = 1000
const PAGE = 500

export async function fill(store: Store): Promise<void> {
  for (let from = 0; from < OBJECTS; from += AT_ONCE) {
    const puts = Array.from({ length: AT_ONCE }, (_, i) => {
      const key = `/registry/pods/namespace-${(from + i) % 100}/deployment-6d4cf56db6-${String(from + i).padStart(6, '0')}`
      return store.txn({ success: [{ type: 'put', key, value: Buffer.alloc(OBJECT_SIZE, from + i) }] })
    })
    await Promise.all(puts)
  }
}

/** Page by page, as a client lists. Throws if not all is there. */
export async function readAll(store: Store): Promise<void> {
  let count = 0
  for (let from = '/registry/'; ;) {
    const { kvs, more } = await store.range({ key: from, end: '/registry0', limit: PAGE })
    count += kvs.filter(({ value }) => value.byteLength === OBJECT_SIZE).length
    if (!more) break
    from = `${kvs.at(-1)?.key}\0`
  }
  if (count !== OBJECTS) throw new Error(`${count} of ${OBJECTS} objects are there`)
}
