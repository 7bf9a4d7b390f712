/** Work on the images of several machines, with what each of them says. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { ArgOf } from '../../../../electron/contracts/channel.ts'
import type { Channels } from '../../../../electron/contracts/channels.ts'
import type { Face } from '../../face/face.ts'
import { failureOf, type Failure } from '../../face/failure.ts'
import type { MachineImport } from '../images/import.ts'

export interface ImageWork {
  readonly running: Readonly<Ref<boolean>>
  readonly finished: Readonly<Ref<boolean>>
  readonly machines: Readonly<ShallowRef<readonly MachineImport[]>>
  readonly failure: Readonly<ShallowRef<Failure | null>>
  /** Resolves when all machines have answered, or it was cancelled. */
  start<K extends 'images.remove' | 'images.pull'>(method: K, arg: ArgOf<Channels[K]>, what: string): Promise<void>
  cancel(): void
  reset(): void
}

export function useImageWork(face: Face): ImageWork {
  const running = ref(false)
  const finished = ref(false)
  const machines = shallowRef<readonly MachineImport[]>([])
  const failure = shallowRef<Failure | null>(null)
  let abort = new AbortController()
  const note = (row: MachineImport) =>
    (machines.value = [...machines.value.filter(({ machine }) => machine !== row.machine), row].toSorted((a, b) =>
      a.machine.localeCompare(b.machine),
    ))
  const reset = () => {
    finished.value = false
    machines.value = []
    failure.value = null
  }
  return {
    ...{ running, finished, machines, failure, reset },
    cancel: () => abort.abort(new DOMException('cancelled', 'AbortError')),
    async start(method, arg, what) {
      abort = new AbortController()
      reset()
      running.value = true
      try {
        for await (const { value } of face.open(method, arg, { signal: abort.signal })) {
          const { machine } = value
          if (value.type === 'progress') note({ machine, state: 'busy', detail: value.detail })
          else if (value.type === 'done') note({ machine, state: 'done', detail: value.images.join(', ') })
          else
            note({
              machine,
              state: 'failed',
              detail: value.why,
              failure: { code: value.code, what: value.what, why: value.why, next: value.next },
            })
        }
        finished.value = true
      } catch (error) {
        failure.value = abort.signal.aborted ? null : failureOf(error, what)
      } finally {
        running.value = false
      }
    },
  }
}
