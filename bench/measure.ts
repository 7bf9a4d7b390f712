/** One comparison of ours with what people use today, made in one run on one machine. */
export interface Measure {
  readonly name: string
  readonly ours: number
  /** Null where there is none to compare with. */
  readonly peer: number | null
  /** More than 1: we are better, whichever way the unit goes. Null without a peer. */
  readonly ratio: number | null
  /** Of `ours` and `peer`. */
  readonly unit: string
  /** How it was measured, where that is not plain. */
  readonly note?: string
}

export function moreIsBetter(name: string, unit: string, ours: number, peer: number | null, note?: string): Measure {
  const against = peer === null ? { peer, ratio: null } : { peer: rounded(peer), ratio: rounded(ours / peer) }
  return { name, ours: rounded(ours), ...against, unit, ...(note ? { note } : {}) }
}

export function lessIsBetter(name: string, unit: string, ours: number, peer: number | null, note?: string): Measure {
  const against = peer === null ? { peer, ratio: null } : { peer: rounded(peer), ratio: rounded(peer / ours) }
  return { name, ours: rounded(ours), ...against, unit, ...(note ? { note } : {}) }
}

/** Three significant digits. */
function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
