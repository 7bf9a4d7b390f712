/** What a list page looks at and what is chosen in it, over one window on the live index. */
import {
  computed,
  onScopeDispose,
  ref,
  shallowRef,
  toValue,
  watch,
  type ComputedRef,
  type MaybeRefOrGetter,
  type Ref,
  type ShallowRef,
} from 'vue'
import { WINDOW, type ListColumnSpec, type ListWhere } from '../../../electron/contracts/list-channels.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { useFace } from '../face/index.ts'
import { EMPTY_PAGE, LiveRows, type Ask, type ListLine, type ListPageState } from '../kube/live-rows.ts'
import type { LiveState } from '../kube/live-query.ts'
import type { Resource } from '../kube/resources.ts'
import type { SortState } from '../ui/table/columns.ts'
import type { Selection } from '../ui/table/selection.ts'
import { windowSelection } from '../ui/table/window-selection.ts'

export interface ListChoices {
  readonly text: Ref<string>
  readonly chips: ShallowRef<ReadonlySet<string>>
  readonly sort: Ref<SortState>
  readonly troubleFirst: Ref<boolean>
  /** By what rows are grouped; '' is not at all. */
  readonly group: Ref<string>
  readonly folded: ShallowRef<ReadonlySet<string>>
  readonly held: Ref<boolean>
}

export interface ListChoice {
  readonly text?: string
  readonly group?: string
  readonly sort?: SortState
  readonly held?: boolean
}

export interface ListViewState extends ListChoices {
  readonly resource: ComputedRef<Resource>
  readonly page: ComputedRef<ListPageState>
  readonly state: ComputedRef<LiveState>
  readonly changedAt: ComputedRef<number>
  readonly columns: ComputedRef<readonly ListColumnSpec[]>
  readonly selection: Selection
  /** The current row, if it is in view. */
  readonly current: ComputedRef<KubeObject | undefined>
  /** Whether a filter or a chip hides something. */
  readonly filtered: ComputedRef<boolean>
  /** Asks for the lines from `from` to before `to`. */
  look(from: number, to: number): void
  choose(choice: ListChoice): void
  toggleChip(id: string): void
  toggleGroup(group: string): void
  clearFilters(): void
  /** The addresses and owners of what is chosen and still there, else of the current row. */
  picked(): Promise<readonly KubeObject[]>
  /** The rows of all that fit, in order, in pieces. */
  everything(): AsyncGenerator<readonly ListLine[]>
}

const OVERSCAN = 40
const PIECE = 500

export interface ListViewOptions {
  /** Null: nothing for now. */
  readonly resource: MaybeRefOrGetter<Resource | null>
  readonly where: MaybeRefOrGetter<ListWhere>
  readonly sort?: SortState
  readonly text?: string
  readonly troubleFirst?: Ref<boolean>
  readonly group?: Ref<string>
}

const NOWHERE: Resource = { group: '', version: '', resource: '', kind: '', namespaced: false }

export function useListView(options: ListViewOptions): ListViewState {
  const face = useFace()
  const text = ref(options.text ?? '')
  const chips = shallowRef<ReadonlySet<string>>(new Set())
  const sort = ref<SortState>(options.sort ?? { id: 'name', descending: false })
  const troubleFirst = options.troubleFirst ?? ref(true)
  const group = options.group ?? ref('')
  const folded = shallowRef<ReadonlySet<string>>(new Set())
  const held = ref(false)
  const window = shallowRef({ from: 0, count: 80 })
  const resource = computed(() => toValue(options.resource) ?? NOWHERE)

  const view = computed(() => ({
    where: toValue(options.where),
    text: text.value,
    chips: [...chips.value],
    troubleFirst: troubleFirst.value,
    sort: { ...sort.value },
    ...(group.value ? { group: group.value } : {}),
    folded: [...folded.value],
    held: held.value,
    ...window.value,
  }))
  const rows: ShallowRef<LiveRows | null> = shallowRef(null)
  watch(
    () => JSON.stringify(toValue(options.resource)),
    () => {
      rows.value?.[Symbol.dispose]()
      const of = toValue(options.resource)
      rows.value = of ? new LiveRows(face, of, view.value) : null
      if (rows.value) rows.value.onGone = (uids) => selection.forget(uids)
    },
    { immediate: true },
  )
  watch(view, (now) => rows.value?.set(now))
  onScopeDispose(() => rows.value?.[Symbol.dispose]())

  const page = computed(() => rows.value?.page.value ?? EMPTY_PAGE)
  const ask = async (what: Ask) => (await rows.value?.ask(what)) ?? { keys: [], rows: [] }
  const selection = windowSelection({ page: () => page.value, ask })

  // Another filter begins at the top, and keeps of what is chosen what still fits.
  watch([text, chips, () => JSON.stringify(toValue(options.where)), group], () => {
    window.value = { ...window.value, from: 0 }
    void selection.prune()
  })

  return {
    ...{ text, chips, sort, troubleFirst, group, folded, held, resource, page, selection },
    state: computed(() => rows.value?.state.value ?? { phase: 'loading' }),
    changedAt: computed(() => rows.value?.changedAt.value ?? 0),
    columns: computed(() => rows.value?.columns.value ?? []),
    current: computed(() => {
      const key = selection.current.value
      const line = key === null ? undefined : page.value.window.find((each) => each.key === key)
      return line?.group ? undefined : line?.object
    }),
    filtered: computed(() => text.value !== '' || chips.value.size > 0),
    look(from, to) {
      const { from: first, count } = window.value
      const near = from >= first + (first === 0 ? 0 : OVERSCAN / 2) && to <= first + count - OVERSCAN / 2
      if (near) return
      const begin = Math.max(0, from - OVERSCAN)
      window.value = { from: begin, count: Math.min(WINDOW, to - begin + OVERSCAN) }
    },
    choose(choice) {
      if (choice.text !== undefined) text.value = choice.text
      if (choice.group !== undefined) group.value = choice.group
      if (choice.sort !== undefined) sort.value = choice.sort
      if (choice.held !== undefined) held.value = choice.held
    },
    toggleChip(id) {
      const next = new Set(chips.value)
      if (!next.delete(id)) next.add(id)
      chips.value = next
    },
    toggleGroup(name) {
      const next = new Set(folded.value)
      if (!next.delete(name)) next.add(name)
      folded.value = next
    },
    clearFilters() {
      text.value = ''
      chips.value = new Set()
    },
    async picked() {
      const chosen = [...selection.chosen.value]
      const current = selection.current.value
      const keys = chosen.length ? chosen : current === null ? [] : [current]
      return keys.length ? (await ask({ form: 'bare', keys })).rows.map((row) => row.object) : []
    },
    async *everything() {
      for (let from = 0; ; from += PIECE) {
        const { rows: piece } = await ask({ form: 'rows', from, to: from + PIECE })
        yield piece.map((row) => ({ ...row, key: row.object.metadata.uid }))
        if (from + PIECE >= page.value.lines) return
      }
    },
  }
}
