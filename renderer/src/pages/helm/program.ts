/** The user's Helm, asked for when a page needs it. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { ResultOf } from '../../../../electron/contracts/channel.ts'
import type { Channels } from '../../../../electron/contracts/channels.ts'
import { useFace } from '../../face/index.ts'

export const useHelmProgram = defineStore('helm-program', () => {
  const face = useFace()
  const info = shallowRef<ResultOf<Channels['helm.info']> | null>(null)
  const asking = shallowRef(false)

  /** It may be installed while the app runs, so each page that is opened asks anew. */
  async function ask(): Promise<void> {
    if (asking.value) return
    asking.value = true
    try {
      info.value = await face.call('helm.info', undefined)
    } catch {
      // The connection is away: what was known stays.
    } finally {
      asking.value = false
    }
  }
  const program = computed(() => info.value?.program ?? null)
  const problem = computed(() => info.value?.problem ?? null)
  return { program, problem, asking, ask }
})
