/** A light machine on this computer. */
import { computed, reactive, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { Face } from '../../../face/face.ts'
import { failureOf, type Failure } from '../../../face/failure.ts'
import { t } from '../../../i18n/index.ts'
import { parseQuantity } from '../../../kube/quantity.ts'

/** Less memory than this does not carry an agent and a pod (bytes). */
const LEAST_MEMORY = 256 * 2 ** 20
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

export interface SandboxFlow {
  readonly form: { name: string; limited: boolean; memory: string }
  readonly errors: ComputedRef<{ name?: string; memory?: string }>
  readonly failure: Readonly<ShallowRef<Failure | null>>
  readonly busy: Readonly<Ref<boolean>>
  add(): Promise<string | null>
  reset(): void
}

export function useSandboxFlow(face: Face, taken: () => readonly string[]): SandboxFlow {
  const empty = { name: '', limited: false, memory: '2Gi' }
  const form = reactive({ ...empty })
  const failure = shallowRef<Failure | null>(null)
  const busy = ref(false)
  const bytes = () => parseQuantity(form.memory.replaceAll(/\s/g, ''))
  const errors = computed(() => ({
    ...(form.name && !NAME.test(form.name) ? { name: t('add.error.name') } : {}),
    ...(taken().includes(form.name) ? { name: t('add.error.taken', { name: form.name }) } : {}),
    ...(form.limited && !(bytes() >= LEAST_MEMORY) ? { memory: t('add.error.memory') } : {}),
  }))
  return {
    form,
    errors,
    failure,
    busy,
    async add() {
      if (Object.keys(errors.value).length) return null
      busy.value = true
      failure.value = null
      try {
        const arg = { ...(form.name ? { name: form.name } : {}), ...(form.limited ? { memoryBytes: bytes() } : {}) }
        return (await face.call('machines.addSandbox', arg)).name
      } catch (error) {
        failure.value = failureOf(error, t('first.startFailed'))
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
