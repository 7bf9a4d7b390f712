import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { useFace } from '../face/index.ts'
import { failureOf, type Failure } from '../face/failure.ts'
import { t } from '../i18n/index.ts'
import { discover, type ServedKind } from '../kube/discovery.ts'

/** The kinds that the API server serves; asked for when first needed, and again when `refresh` is called. */
export const useKinds = defineStore('kinds', () => {
  const face = useFace()
  const kinds = shallowRef<readonly ServedKind[]>([])
  const failure = shallowRef<Failure | null>(null)
  const loading = shallowRef(false)
  let asked: Promise<void> | null = null

  async function ask(): Promise<void> {
    loading.value = true
    try {
      kinds.value = await discover(face)
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error, t('kinds.failed'))
      asked = null
    } finally {
      loading.value = false
    }
  }
  const ensure = (): Promise<void> => (asked ??= ask())
  const refresh = (): Promise<void> => (asked = ask())
  const find = (group: string, resource: string) => kinds.value.find((kind) => kind.group === group && kind.resource === resource)
  return { kinds, failure, loading, ensure, refresh, find }
})
