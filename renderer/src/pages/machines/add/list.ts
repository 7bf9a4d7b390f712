/** Adding many hosts at once: a list is read, every host shows its key, and what is trusted is set up, a few at a time. */
import { computed, reactive, ref, type ComputedRef, type Ref } from 'vue'
import { parseHostList, type HostList, type ListedHost } from '../../../../../electron/contracts/host-list.ts'
import type { Face } from '../../../face/face.ts'
import { failureOf, type Failure } from '../../../face/failure.ts'
import { t } from '../../../i18n/index.ts'
import { credentialsOf, emptyForm, parseLabels, type MachineForm } from './form.ts'
import type { HostKey } from './flow.ts'

/** What is said for all hosts of the list. */
export type ListForm = Pick<
  MachineForm,
  'user' | 'auth' | 'keyFile' | 'passphrase' | 'password' | 'sudoPassword' | 'labels' | 'installRuntime'
> & {
  text: string
}

export type RowState = 'waiting' | 'scanning' | 'known' | 'unknown' | 'changed' | 'adding' | 'begun' | 'failed' | 'there'

export interface ListRow {
  readonly host: ListedHost
  state: RowState
  key: HostKey | null
  failure: Failure | null
  /** Whether it is to be added. */
  chosen: boolean
}

export interface ListFlow {
  readonly form: ListForm
  readonly list: ComputedRef<HostList>
  /** What stands in the way of looking, or null. */
  readonly problem: ComputedRef<string | null>
  readonly rows: Readonly<Ref<readonly ListRow[]>>
  readonly busy: Readonly<Ref<boolean>>
  /** Those that are chosen and can be added, keys that are unknown among them. */
  readonly ready: ComputedRef<readonly ListRow[]>
  /** Asks all hosts for their keys, without signing in. */
  look(): Promise<void>
  /** Begins with all that are ready; their keys count as confirmed. */
  add(): Promise<void>
  /** Back to the text. */
  edit(): void
  reset(): void
}

/** What goes on at the same time: hosts are many, and this computer one. */
const AT_ONCE = 5

export function useListFlow(face: Face, taken: () => readonly string[]): ListFlow {
  const empty = (): ListForm => {
    const { auth, keyFile, passphrase, password, sudoPassword, labels, installRuntime } = emptyForm()
    return { text: '', user: 'root', auth, keyFile, passphrase, password, sudoPassword, labels, installRuntime }
  }
  const form = reactive(empty())
  const rows = ref<ListRow[]>([])
  const busy = ref(false)
  const list = computed(() => parseHostList(form.text))
  const problem = computed(() => {
    if (!list.value.hosts.length) return t('addList.error.none')
    if (list.value.faults.length) return t('addList.error.faults')
    if (!form.user.trim()) return t('add.error.user')
    if (form.auth === 'key' && !form.keyFile.trim()) return t('add.error.keyFile')
    if (form.auth === 'password' && !form.password) return t('add.error.password')
    return parseLabels(form.labels) === null ? t('add.error.labels') : null
  })
  const ready = computed(() => rows.value.filter(({ state, chosen }) => chosen && (state === 'known' || state === 'unknown')))
  const hopOf = ({ host, port, user }: ListedHost) => ({ host, port, user: user ?? form.user.trim() })

  async function each(of: readonly ListRow[], work: (row: ListRow) => Promise<void>): Promise<void> {
    const queue = [...of]
    busy.value = true
    const worker = async () => {
      for (let row = queue.shift(); row; row = queue.shift()) await work(row)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    busy.value = false
  }

  return {
    form,
    list,
    problem,
    rows,
    busy,
    ready,
    async look() {
      if (problem.value || busy.value) return
      const known = new Set(taken())
      rows.value = list.value.hosts.map((host) => {
        const isThere = known.has(host.name)
        return { host, state: isThere ? 'there' : 'waiting', key: null, failure: null, chosen: !isThere }
      })
      await each(
        rows.value.filter(({ state }) => state === 'waiting'),
        async (row) => {
          row.state = 'scanning'
          try {
            row.key = await face.call('machines.scanHostKey', hopOf(row.host))
            row.state = row.key.state
          } catch (error) {
            row.state = 'failed'
            row.failure = failureOf(error, t('add.failed.scan', { host: row.host.host }))
          }
          row.chosen = row.state === 'known' || row.state === 'unknown'
        },
      )
    },
    async add() {
      const labels = parseLabels(form.labels) ?? {}
      const credentials = credentialsOf({ ...emptyForm(), ...form })
      await each(ready.value, async (row) => {
        row.state = 'adding'
        const { name } = row.host
        const all = { ...labels, ...row.host.labels }
        const request = { name, ...hopOf(row.host), hostKey: row.key?.key ?? '', installRuntime: form.installRuntime, credentials }
        try {
          await face.call('machines.add', { ...request, ...(Object.keys(all).length ? { labels: all } : {}) })
          row.state = 'begun'
        } catch (error) {
          row.state = 'failed'
          row.failure = failureOf(error, t('add.failed.add', { name }))
        }
      })
    },
    edit() {
      rows.value = []
    },
    reset() {
      Object.assign(form, empty())
      rows.value = []
    },
  }
}
