/** Retrying, cancelling and removing machines, with what went wrong kept for where it is shown. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { ArgOf } from '../../../../electron/contracts/channel.ts'
import type { Channels } from '../../../../electron/contracts/channels.ts'
import { useFace } from '../../face/index.ts'
import { failureOf, type Failure } from '../../face/failure.ts'
import { t } from '../../i18n/index.ts'

export type Credentials = NonNullable<ArgOf<Channels['machines.retry']>['credentials']>

export interface MachineWork {
  readonly busy: Readonly<Ref<boolean>>
  readonly failure: Readonly<ShallowRef<Failure | null>>
  retry(name: string, credentials?: Credentials): Promise<boolean>
  cancel(name: string): Promise<boolean>
  remove(name: string, forget: boolean, credentials?: Credentials): Promise<boolean>
  clear(): void
}

export function useMachineWork(): MachineWork {
  const face = useFace()
  const busy = ref(false)
  const failure = shallowRef<Failure | null>(null)

  async function attempt(what: string, run: () => Promise<unknown>): Promise<boolean> {
    busy.value = true
    failure.value = null
    try {
      await run()
      return true
    } catch (error) {
      failure.value = failureOf(error, what)
      return false
    } finally {
      busy.value = false
    }
  }
  return {
    busy,
    failure,
    retry: (name, credentials) =>
      attempt(t('machines.retryFailed', { name }), () => face.call('machines.retry', { name, ...(credentials ? { credentials } : {}) })),
    cancel: (name) => attempt(t('machines.cancelFailed', { name }), () => face.call('machines.cancel', { name })),
    remove: (name, forget, credentials) =>
      attempt(t('machines.removeFailed', { name }), () =>
        face.call('machines.remove', { name, ...(forget ? { forget } : {}), ...(credentials ? { credentials } : {}) }),
      ),
    clear: () => (failure.value = null),
  }
}
