/** How several logs do as one: what a person is told first. */
import { t } from '../i18n/index.ts'
import { clockTime } from '../time/format.ts'
import type { FollowState } from './follower.ts'

const RANK = { lost: 0, live: 1, connecting: 2, failed: 3, ended: 4 } as const

/** A lost connection stands above everything, one that lives above those that ended. */
export function worstOf(states: readonly FollowState[]): FollowState {
  return states.toSorted((a, b) => RANK[a.phase] - RANK[b.phase])[0] ?? { phase: 'ended' }
}

export function stateText(state: FollowState, paused: boolean, previous: boolean): { cls: string; text: string } {
  if (paused) return { cls: 'held', text: t('logs.state.paused') }
  switch (state.phase) {
    case 'live':
      return { cls: 'on', text: t('fresh.live') }
    case 'lost':
      return { cls: 'stale', text: t('logs.state.lost', { time: clockTime(state.since) }) }
    case 'ended':
      return { cls: 'off', text: t(previous ? 'logs.state.previous' : 'logs.state.ended') }
    case 'failed':
      return { cls: 'off', text: t('logs.state.failed') }
    case 'connecting':
      return { cls: 'off', text: t('fresh.loading') }
  }
}
