/** A container's runs as far as its status tells: the one before, the pause after it, and the present one. */
import type { ContainerStatus } from '../../../../electron/api/core/v1/types.gen.ts'
import { instant } from '../../time/format.ts'

export interface LifePart {
  readonly kind: 'run' | 'wait' | 'end'
  /** Share of the whole, to be used as a flex factor; ends have none. */
  readonly share: number
  readonly bad?: boolean
}

export interface Life {
  readonly parts: readonly LifePart[]
  /** Milliseconds since the epoch. */
  readonly from: number
}

/** Null where there is nothing to draw yet. */
export function lifeOf(status: ContainerStatus | undefined, now: number): Life | null {
  const last = status?.lastState?.terminated
  const { running, terminated, waiting } = status?.state ?? {}
  const marks: { kind: 'run' | 'wait'; from: number; to: number; endsBadly?: boolean }[] = []
  const lastFrom = instant(last?.startedAt)
  const lastTo = instant(last?.finishedAt)
  if (last && lastFrom !== null && lastTo !== null) marks.push({ kind: 'run', from: lastFrom, to: lastTo, endsBadly: last.exitCode !== 0 })
  const began = instant(running?.startedAt ?? terminated?.startedAt)
  if (began !== null) {
    if (lastTo !== null && began > lastTo) marks.push({ kind: 'wait', from: lastTo, to: began })
    const ended = instant(terminated?.finishedAt)
    marks.push({ kind: 'run', from: began, to: ended ?? now, ...(terminated ? { endsBadly: terminated.exitCode !== 0 } : {}) })
  } else if (waiting && lastTo !== null) marks.push({ kind: 'wait', from: lastTo, to: now })
  const [first] = marks
  if (!first) return null
  const whole = Math.max(
    1,
    marks.reduce((sum, mark) => sum + Math.max(0, mark.to - mark.from), 0),
  )
  const parts = marks.flatMap((mark): LifePart[] => {
    const part: LifePart = { kind: mark.kind, share: Math.max(0.04, (mark.to - mark.from) / whole) }
    return mark.endsBadly === undefined ? [part] : [part, { kind: 'end', share: 0, bad: mark.endsBadly }]
  })
  return { parts, from: first.from }
}
