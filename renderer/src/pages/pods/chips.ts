import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { podView, type PodView } from '../../kube/pod-status.ts'
import type { IconName } from '../../ui/icons.ts'
import type { PlainKey } from '../../i18n/index.ts'

const DAY_MS = 86_400_000

export type PodChip = 'failing' | 'waiting' | 'starting' | 'restarted'

export interface PodChipSpec {
  readonly id: PodChip
  readonly label: PlainKey
  readonly icon: IconName
  fits(view: PodView, now: number): boolean
}

export const POD_CHIPS: readonly PodChipSpec[] = [
  { id: 'failing', label: 'pods.chip.failing', icon: 'err', fits: (view) => view.tone === 'err' },
  { id: 'waiting', label: 'pods.chip.waiting', icon: 'warn', fits: (view) => view.tone === 'warn' },
  { id: 'starting', label: 'pods.chip.starting', icon: 'busy', fits: (view) => view.tone === 'busy' },
  {
    id: 'restarted',
    label: 'pods.chip.restarted',
    icon: 'retry',
    fits: (view, now) => view.lastRestart !== undefined && now - Date.parse(view.lastRestart) < DAY_MS,
  },
]

export function chipCounts(pods: readonly Pod[], now: number): Record<PodChip, number> {
  const counts: Record<PodChip, number> = { failing: 0, waiting: 0, starting: 0, restarted: 0 }
  for (const pod of pods) {
    const view = podView(pod, now)
    for (const chip of POD_CHIPS) if (chip.fits(view, now)) counts[chip.id]++
  }
  return counts
}
