/** Files dropped anywhere on the window: manifests go to the deploy page, image archives to the import. */
import { useEventListener } from '@vueuse/core'
import { ref, type Ref } from 'vue'
import { useRouter } from 'vue-router'
import { t } from '../i18n/index.ts'
import { useFrame } from '../stores/frame.ts'
import { useToasts } from '../stores/toasts.ts'

const MANIFEST = /\.(ya?ml|json)$/i
const ARCHIVE = /\.(tar|tar\.gz|tgz)$/i
/** More text than this is no manifest (4 MiB). */
const MANIFEST_LIMIT = 4 * 2 ** 20

export async function manifestText(files: readonly File[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => file.text()))
  return texts.map((text) => text.trim()).join('\n---\n')
}

/** True while files are dragged over the window. */
export function useFileDrop(): Readonly<Ref<boolean>> {
  const over = ref(false)
  const frame = useFrame()
  const toasts = useToasts()
  const router = useRouter()
  let depth = 0
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true

  async function take(files: readonly File[]): Promise<void> {
    const archive = files.find((file) => ARCHIVE.test(file.name))
    const manifests = files.filter((file) => MANIFEST.test(file.name) && file.size <= MANIFEST_LIMIT)
    if (archive) {
      frame.droppedArchive = archive
      frame.importImages = true
    } else if (manifests.length) {
      frame.droppedYaml = { name: manifests.map((file) => file.name).join(', '), text: await manifestText(manifests) }
      await router.push({ name: 'deploy' })
    } else toasts.show(t('drop.unknown'))
  }
  useEventListener(document, 'dragenter', (event: DragEvent) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    depth++
    over.value = true
  })
  useEventListener(document, 'dragover', (event: DragEvent) => {
    if (hasFiles(event)) event.preventDefault()
  })
  useEventListener(document, 'dragleave', (event: DragEvent) => {
    if (hasFiles(event) && --depth <= 0) over.value = false
  })
  useEventListener(document, 'drop', (event: DragEvent) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    depth = 0
    over.value = false
    void take([...(event.dataTransfer?.files ?? [])])
  })
  return over
}
