/**
 * The order of a merged list: what the patch speaks of stands in the patch's order, the rest in the object's, and the two are
 * interleaved as the object had them, as far as that goes. Source: "preserve order in strategic merge patch" design proposal.
 */
import { mergeKeyOf } from './strategic-schema.ts'

/** Tells an item of a list: the value of its merge key, or the item itself. */
export type Identity = (item: unknown) => unknown

export function identityOf(mergeKey: string | undefined): Identity {
  return mergeKey === undefined ? (item) => item : (item) => mergeKeyOf(item, mergeKey)
}

/** `patchOrder` decides over items it names; the others follow `objectOrder`. */
export function orderElements(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  objectOrder: readonly unknown[],
  identity: Identity,
): unknown[] {
  const byPatch = positions(patchOrder, identity)
  const byObject = positions(objectOrder, identity)
  const ofPatch = sorted(
    merged.filter((item) => byPatch.has(identity(item))),
    byPatch,
    identity,
  )
  const ofObject = sorted(
    merged.filter((item) => !byPatch.has(identity(item))),
    byObject,
    identity,
  )
  const out: unknown[] = []
  let i = 0
  for (const item of ofPatch) {
    const limit = byObject.get(identity(item))
    for (; limit !== undefined && i < ofObject.length; i++) {
      const position = byObject.get(identity(ofObject[i]))
      if (position === undefined || position >= limit) break
      out.push(ofObject[i])
    }
    out.push(item)
  }
  return [...out, ...ofObject.slice(i)]
}

function positions(list: readonly unknown[], identity: Identity): Map<unknown, number> {
  const found = new Map<unknown, number>()
  for (const [i, item] of list.entries()) {
    const key = identity(item)
    if (!found.has(key)) found.set(key, i)
  }
  return found
}

function sorted(items: readonly unknown[], order: ReadonlyMap<unknown, number>, identity: Identity): unknown[] {
  const rank = (item: unknown) => order.get(identity(item)) ?? order.size
  return items.toSorted((a, b) => rank(a) - rank(b))
}
