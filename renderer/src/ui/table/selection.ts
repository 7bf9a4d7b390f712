import { computed, shallowRef, watch, type ComputedRef, type ShallowRef } from 'vue'

/** Which rows are chosen and which one is current, by key; what is no longer there is dropped. */
export interface Selection {
  readonly chosen: ShallowRef<ReadonlySet<string>>
  readonly current: ShallowRef<string | null>
  /** Where the current row is; -1 if there is none. */
  readonly index: ComputedRef<number>
  /** Counts the moves of the current row by hand, for who keeps it in view. */
  readonly moved: ShallowRef<number>
  readonly all: ComputedRef<'none' | 'some' | 'all'>
  select(key: string): void
  toggle(key: string): void
  /** From the row that was chosen last to this one. */
  extend(key: string): void
  setAll(on: boolean): void
  clear(): void
  /** Moves the current row by `steps`, and stops at the ends. */
  move(steps: number): void
  moveTo(index: number): void
}

export function useSelection(keys: () => readonly string[]): Selection {
  const chosen = shallowRef<ReadonlySet<string>>(new Set())
  const current = shallowRef<string | null>(null)
  const moved = shallowRef(0)
  let anchor: string | null = null

  watch(keys, (now) => {
    const there = new Set(now)
    if (current.value !== null && !there.has(current.value)) current.value = null
    if ([...chosen.value].some((key) => !there.has(key))) chosen.value = new Set([...chosen.value].filter((key) => there.has(key)))
  })

  const all = computed(() => {
    if (chosen.value.size === 0) return 'none'
    return chosen.value.size >= keys().length ? 'all' : 'some'
  })
  const moveTo = (index: number) => {
    const now = keys()
    current.value = now[Math.max(0, Math.min(now.length - 1, index))] ?? null
    moved.value++
  }
  return {
    chosen,
    current,
    moved,
    index: computed(() => (current.value === null ? -1 : keys().indexOf(current.value))),
    all,
    select: (key) => void (current.value = key),
    toggle(key) {
      const next = new Set(chosen.value)
      if (!next.delete(key)) next.add(key)
      chosen.value = next
      anchor = key
    },
    extend(key) {
      const now = keys()
      const from = anchor === null ? -1 : now.indexOf(anchor)
      const to = now.indexOf(key)
      if (from < 0 || to < 0) return this.toggle(key)
      chosen.value = new Set([...chosen.value, ...now.slice(Math.min(from, to), Math.max(from, to) + 1)])
    },
    setAll(on) {
      chosen.value = new Set(on ? keys() : [])
    },
    clear() {
      chosen.value = new Set()
      anchor = null
    },
    move(steps) {
      const at = current.value === null ? -1 : keys().indexOf(current.value)
      moveTo(at < 0 ? (steps > 0 ? 0 : keys().length - 1) : at + steps)
    },
    moveTo,
  }
}
