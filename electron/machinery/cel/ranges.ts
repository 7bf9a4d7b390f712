/** Costs and sizes as they may be. */
/** From the least to the most; 2^64 stands for no limit. */
export interface Range {
  readonly min: number
  readonly max: number
}

export const NO_LIMIT = 2 ** 64
export const UNKNOWN: Range = { min: 0, max: NO_LIMIT }

export const fixed = (value: number): Range => ({ min: value, max: value })
export const plus = (...ranges: readonly Range[]): Range => ({
  min: capped(ranges.reduce((sum, { min }) => sum + min, 0)),
  max: capped(ranges.reduce((sum, { max }) => sum + max, 0)),
})
export const times = (a: Range, b: Range): Range => ({ min: capped(a.min * b.min), max: capped(a.max * b.max) })
/** Rounded up. */
export const scaled = ({ min, max }: Range, by: number): Range => ({ min: capped(Math.ceil(min * by)), max: capped(Math.ceil(max * by)) })
export const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) })
const capped = (value: number) => Math.min(value, NO_LIMIT)
