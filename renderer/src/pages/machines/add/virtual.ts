/** A virtual machine on this computer. */
import { computed, reactive, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { ResultOf } from '../../../../../electron/contracts/channel.ts'
import type { Channels } from '../../../../../electron/contracts/channels.ts'
import type { Face } from '../../../face/face.ts'
import { failureOf, type Failure } from '../../../face/failure.ts'
import { t } from '../../../i18n/index.ts'
import { bytes } from '../../../kube/quantity.ts'

export type VirtualSupport = ResultOf<Channels['vm.support']>

const MIB = 2 ** 20
const GIB = 2 ** 30
/** What can be chosen: fine where it is little, coarse where it is much (bytes). */
const MEMORY = [512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12_288, 16_384, 24_576, 32_768, 49_152, 65_536].map((n) => n * MIB)
const DISK = [8, 12, 16, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500].map((n) => n * GIB)

export interface VirtualFlow {
  readonly form: { name: string; cpus: number; memoryBytes: number; diskBytes: number }
  readonly support: Readonly<ShallowRef<VirtualSupport | null>>
  /** What can be chosen on this computer. */
  readonly choices: ComputedRef<{ cpus: number[]; memory: number[]; disk: number[] }>
  readonly errors: ComputedRef<{ name?: string; disk?: string }>
  readonly failure: Readonly<ShallowRef<Failure | null>>
  readonly busy: Readonly<Ref<boolean>>
  /** Asks what this computer can do. */
  load(): Promise<void>
  add(): Promise<string | null>
  reset(): void
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

export function useVirtualFlow(face: Face, taken: () => readonly string[]): VirtualFlow {
  const empty = { name: '', cpus: 2, memoryBytes: 2 * GIB, diskBytes: 20 * GIB }
  const form = reactive({ ...empty })
  const support = shallowRef<VirtualSupport | null>(null)
  const failure = shallowRef<Failure | null>(null)
  const busy = ref(false)
  const choices = computed(() => {
    const { cpus = 2, memoryBytes = 4 * GIB } = support.value ?? {}
    return { cpus: Array.from({ length: Math.max(1, cpus) }, (_, i) => i + 1), memory: upTo(MEMORY, memoryBytes), disk: DISK }
  })
  const errors = computed(() => ({
    ...(form.name && !NAME.test(form.name) ? { name: t('add.error.name') } : {}),
    ...(taken().includes(form.name) ? { name: t('add.error.taken', { name: form.name }) } : {}),
    ...(support.value && form.diskBytes > support.value.diskBytes
      ? { disk: t('add.error.disk', { free: bytes(support.value.diskBytes) }) }
      : {}),
  }))
  return {
    form,
    support,
    choices,
    errors,
    failure,
    busy,
    async load() {
      try {
        support.value = await face.call('vm.support', undefined)
        form.cpus = Math.min(form.cpus, choices.value.cpus.length)
        form.memoryBytes = Math.min(form.memoryBytes, choices.value.memory.at(-1) ?? form.memoryBytes)
      } catch (error) {
        failure.value = failureOf(error, t('add.vm.failed'))
      }
    },
    async add() {
      if (errors.value.name || support.value?.lacks) return null
      busy.value = true
      failure.value = null
      try {
        const { name, cpus, memoryBytes, diskBytes } = form
        return (await face.call('vm.add', { ...(name ? { name } : {}), cpus, memoryBytes, diskBytes })).name
      } catch (error) {
        failure.value = failureOf(error, t('add.vm.failed'))
        return null
      } finally {
        busy.value = false
      }
    },
    reset() {
      Object.assign(form, empty)
      failure.value = null
    },
  }
}

/** At least the smallest, whatever the computer has. */
function upTo(values: readonly number[], most: number): number[] {
  const fitting = values.filter((value) => value <= most)
  return fitting.length ? fitting : values.slice(0, 1)
}
