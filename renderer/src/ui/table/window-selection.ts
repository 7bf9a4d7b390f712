/** Which rows are chosen and which is current, in a list of which only the rows in view are here. */
import { computed, shallowRef, watch } from 'vue'
import type { Ask, ListPageState } from '../../kube/live-rows.ts'
import type { Selection } from './selection.ts'

export interface WindowSelection extends Selection {
  /** These are there no more. */
  forget(keys: readonly string[]): void
  /** Drops of what is chosen what no longer fits the filter. */
  prune(): Promise<void>
}

export function windowSelection(deps: {
  readonly page: () => ListPageState
  readonly ask: (what: Ask) => Promise<{ readonly keys: readonly string[] }>
}): WindowSelection {
  const chosen = shallowRef<ReadonlySet<string>>(new Set())
  const current = shallowRef<string | null>(null)
  const index = shallowRef(-1)
  const moved = shallowRef(0)
  let anchor: { readonly key: string; readonly at: number } | null = null
  /** Where the current row will be once it has come into view. */
  let wanted: number | null = null

  const lineAt = (at: number) => deps.page().window[at - deps.page().from]
  const indexOf = (key: string) => {
    const { window, from } = deps.page()
    const at = window.findIndex((line) => line.key === key)
    return at < 0 ? -1 : from + at
  }
  const put = (at: number): void => {
    const line = lineAt(at)
    index.value = at
    wanted = line ? null : at
    if (line && !line.group) current.value = line.key
  }
  /** Goes to a line; past the head of a group to the row that follows in this direction. */
  const go = (at: number, direction: 1 | -1): void => {
    const last = deps.page().lines - 1
    let to = Math.max(0, Math.min(last, at))
    if (lineAt(to)?.group) to = to + direction < 0 || to + direction > last ? to - direction : to + direction
    put(Math.max(0, Math.min(last, to)))
    moved.value++
  }
  const choose = async (from: number, to: number): Promise<void> => {
    const { keys } = await deps.ask({ form: 'keys', from, to })
    chosen.value = new Set([...chosen.value, ...keys])
  }

  watch(deps.page, () => {
    if (wanted !== null && lineAt(wanted)) return put(wanted)
    if (current.value === null) return
    const at = indexOf(current.value)
    if (at >= 0) index.value = at
  })

  return {
    chosen,
    current,
    moved,
    index: computed(() => index.value),
    all: computed(() => (chosen.value.size === 0 ? 'none' : chosen.value.size >= deps.page().matching ? 'all' : 'some')),
    select(key) {
      current.value = key
      index.value = indexOf(key)
      wanted = null
    },
    toggle(key) {
      const next = new Set(chosen.value)
      if (!next.delete(key)) next.add(key)
      chosen.value = next
      anchor = { key, at: indexOf(key) }
    },
    extend(key) {
      const to = indexOf(key)
      const from = anchor === null ? -1 : Math.max(indexOf(anchor.key), anchor.at)
      if (from < 0 || to < 0) return this.toggle(key)
      void choose(Math.min(from, to), Math.max(from, to) + 1)
    },
    setAll(on) {
      chosen.value = new Set()
      if (on) void deps.ask({ form: 'keys' }).then(({ keys }) => (chosen.value = new Set(keys)))
    },
    clear() {
      chosen.value = new Set()
      anchor = null
    },
    move(steps) {
      const at = index.value
      if (at < 0) go(steps > 0 ? 0 : deps.page().lines - 1, steps > 0 ? 1 : -1)
      else go(at + steps, steps > 0 ? 1 : -1)
    },
    moveTo: (at) => go(at, at === 0 ? 1 : -1),
    forget(keys) {
      const gone = new Set(keys)
      if (current.value !== null && gone.has(current.value)) {
        current.value = null
        index.value = -1
      }
      if ([...chosen.value].some((key) => gone.has(key))) chosen.value = new Set([...chosen.value].filter((key) => !gone.has(key)))
    },
    async prune() {
      if (!chosen.value.size) return
      const { keys } = await deps.ask({ form: 'keys', keys: [...chosen.value] })
      const fitting = new Set(keys)
      chosen.value = new Set([...chosen.value].filter((key) => fitting.has(key)))
    },
  }
}
