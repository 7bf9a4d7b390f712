/** One comparison of ours with what people use today, made in one run on one machine. */
export interface Measure {
  readonly name: string
  readonly ours: number
  readonly peer: number
  /** More than 1: we are better, whichever way the unit goes. */
  readonly ratio: number
  /** Of `ours` and `peer`. */
  readonly unit: string
  /** How it was measured, where that is not plain. */
  readonly note?: string
}

export function moreIsBetter(name: string, unit: string, ours: number, peer: number, note?: string): Measure {
  return { name, ours: rounded(ours), peer: rounded(peer), ratio: rounded(ours / peer), unit, ...(note ? { note } : {}) }
}

export function lessIsBetter(name: string, unit: string, ours: number, peer: number, note?: string): Measure {
  return { name, ours: rounded(ours), peer: rounded(peer), ratio: rounded(peer / ours), unit, ...(note ? { note } : {}) }
}

/** Three significant digits. */
function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
