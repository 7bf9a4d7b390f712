/** Sending an image archive to the machines, with what each of them says. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { Face } from '../../face/face.ts'
import { failureOf, type Failure } from '../../face/failure.ts'
import { t } from '../../i18n/index.ts'

export interface MachineImport {
  readonly machine: string
  readonly state: 'busy' | 'done' | 'failed'
  readonly detail: string
  readonly failure?: Failure
}

export interface ImageImport {
  readonly running: Readonly<Ref<boolean>>
  /** Bytes sent of all. */
  readonly sent: Readonly<Ref<number>>
  readonly machines: Readonly<ShallowRef<readonly MachineImport[]>>
  readonly failure: Readonly<ShallowRef<Failure | null>>
  readonly finished: Readonly<Ref<boolean>>
  send(file: Blob): Promise<void>
  cancel(): void
}

/** Bytes of one message. */
const CHUNK = 256 * 1024

export function useImageImport(face: Face): ImageImport {
  const running = ref(false)
  const sent = ref(0)
  const finished = ref(false)
  const machines = shallowRef<readonly MachineImport[]>([])
  const failure = shallowRef<Failure | null>(null)
  let abort = new AbortController()

  const note = (row: MachineImport) => {
    machines.value = [...machines.value.filter((each) => each.machine !== row.machine), row].toSorted((a, b) =>
      a.machine.localeCompare(b.machine),
    )
  }
  return {
    running,
    sent,
    machines,
    failure,
    finished,
    cancel: () => abort.abort(new DOMException('cancelled', 'AbortError')),
    async send(file) {
      abort = new AbortController()
      running.value = true
      finished.value = false
      sent.value = 0
      machines.value = []
      failure.value = null
      try {
        const stream = face.open('images.import', {}, { signal: abort.signal })
        const upload = async () => {
          for (let at = 0; at < file.size; at += CHUNK) {
            await stream.send({}, new Uint8Array(await file.slice(at, at + CHUNK).arrayBuffer()))
            sent.value = Math.min(file.size, at + CHUNK)
          }
          stream.end()
        }
        const uploading = upload()
        for await (const { value } of stream) {
          if (value.type === 'progress') note({ machine: value.machine, state: 'busy', detail: value.detail })
          else if (value.type === 'done') note({ machine: value.machine, state: 'done', detail: value.images.join(', ') })
          else
            note({
              machine: value.machine,
              state: 'failed',
              detail: value.why,
              failure: { code: 'IMAGE_IMPORT_FAILED', what: value.what, why: value.why, next: value.next },
            })
        }
        await uploading
        finished.value = true
      } catch (error) {
        failure.value = abort.signal.aborted ? null : failureOf(error, t('images.failed'))
      } finally {
        running.value = false
      }
    },
  }
}
