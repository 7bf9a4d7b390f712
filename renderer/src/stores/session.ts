/** What this window is connected to: the app, its cluster, and how it does. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { DownOf, ResultOf } from '../../../electron/contracts/channel.ts'
import type { Channels } from '../../../electron/contracts/channels.ts'
import { useFace } from '../face/index.ts'
import { isLost } from '../face/failure.ts'
import { after, every, stopwatch } from '../time/clock.ts'

export type AppInfo = ResultOf<Channels['app.info']>
export type ClusterStatus = DownOf<Channels['cluster.status']>

const PING_MS = 15_000
/** A connection that does not answer for so long is made anew. */
const DEAF_MS = 10_000
const RETRY_MS = 3000

export const useSession = defineStore('session', () => {
  const face = useFace()
  const info = shallowRef<AppInfo | null>(null)
  const cluster = shallowRef<ClusterStatus | null>(null)
  const context = shallowRef('')
  /** Milliseconds that the API last took to answer; null: it did not. */
  const latency = shallowRef<number | null>(null)

  async function learn(): Promise<void> {
    try {
      info.value = await face.call('app.info', undefined)
      context.value = (await face.call('kubeconfig.text', undefined)).context
    } catch (error) {
      if (!isLost(error)) after(RETRY_MS, () => void learn())
    }
  }

  async function follow(): Promise<void> {
    try {
      for await (const { value } of face.open('cluster.status', undefined)) cluster.value = value
    } catch (error) {
      if (!isLost(error)) after(RETRY_MS, () => void follow())
    }
  }

  async function ping(): Promise<void> {
    if (face.state.value.phase !== 'open') return
    const began = stopwatch()
    const deaf = after(DEAF_MS, () => face.renew())
    try {
      await face.call('kube.request', { method: 'GET', path: '/readyz' })
      latency.value = stopwatch() - began
    } catch {
      latency.value = null
    } finally {
      deaf[Symbol.dispose]()
    }
  }

  face.whenOpen(() => {
    void learn()
    void follow()
    void ping()
  })
  every(PING_MS, () => void ping())

  const name = computed(() => cluster.value?.name ?? '')
  const connected = computed(() => face.state.value.phase === 'open')
  return { info, cluster, context, latency, name, connected, link: face.state }
})
