/** Counts pods once, where they are kept. */
import type { ListWhere } from '../../../electron/contracts/list-channels.ts'
import { useFace } from '../face/index.ts'
import { after } from '../time/clock.ts'

/** How long a question may wait for a number, in milliseconds. */
const PATIENCE_MS = 1500

/** Null where there is nothing to count, or no answer in time: a question can do without the number. */
export function useCountPods(): (where: ListWhere | null) => Promise<number | null> {
  const face = useFace()
  return async (where) => {
    if (!where) return null
    const over = new AbortController()
    using _patience = after(PATIENCE_MS, () => over.abort(new DOMException('it takes too long', 'AbortError')))
    const view = {
      where,
      text: '',
      chips: [],
      troubleFirst: false,
      sort: { id: 'name', descending: false },
      folded: [],
      held: false,
      from: 0,
      count: 0,
    }
    try {
      const stream = face.open('lists.rows', { group: '', version: 'v1', resource: 'pods', view }, { signal: over.signal })
      for await (const { value } of stream) if (value.type === 'rows') return value.total
    } catch {
      // The question is asked without it.
    } finally {
      over.abort(new DOMException('it is counted', 'AbortError'))
    }
    return null
  }
}
