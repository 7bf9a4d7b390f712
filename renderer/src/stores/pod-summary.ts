/** All pods in numbers, for the frame and the overview: one stream for the window, which the index beside the plane adds up. */
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'
import type { DownOf } from '../../../electron/contracts/channel.ts'
import type { Channels } from '../../../electron/contracts/channels.ts'
import { useFace } from '../face/index.ts'
import { isLost } from '../face/failure.ts'
import type { Use } from '../kube/capacity.ts'
import { after } from '../time/clock.ts'
import { usePrefs } from './prefs.ts'

export type PodSummary = DownOf<Channels['lists.pods']>

const RETRY_MS = 3000
const NOTHING: PodSummary = { nodes: [], waiting: 0, total: 0, tones: { total: 0, err: 0, warn: 0 }, owners: [] }

export const usePodSummary = defineStore('pod-summary', () => {
  const face = useFace()
  const prefs = usePrefs()
  const latest = shallowRef<PodSummary | null>(null)
  let current: AbortController | null = null

  async function follow(): Promise<void> {
    current?.abort(new DOMException('another one takes over', 'AbortError'))
    const own = new AbortController()
    current = own
    try {
      const stream = face.open('lists.pods', prefs.namespace ? { namespace: prefs.namespace } : {}, { signal: own.signal })
      for await (const { value } of stream) if (current === own) latest.value = value
    } catch (error) {
      if (current === own && !isLost(error)) after(RETRY_MS, () => current === own && void follow())
    }
  }
  face.whenOpen(() => void follow())
  watch(
    () => prefs.namespace,
    () => face.state.value.phase === 'open' && void follow(),
  )

  const summary = computed(() => latest.value ?? NOTHING)
  return {
    summary,
    loading: computed(() => latest.value === null),
    /** What pods have asked for, by node. */
    requests: computed<ReadonlyMap<string, Use>>(() => new Map(summary.value.nodes.map((use) => [use.node, use]))),
  }
})
