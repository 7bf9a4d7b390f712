/**
 * Where a long list of lines stands. Its scroll bar is as long as its rows, up to a height that every browser can lay out; beyond that
 * the bar is a scale of it. Positions are rows, with fractions.
 */

/** CSS pixels; browsers lay out 2^25 of the screen's own. */
export const TALLEST = 8_000_000

export interface ScrollShape {
  readonly rows: number
  readonly rowHeight: number
  /** Of what is seen at once, pixels. */
  readonly height: number
}

export const barHeight = ({ rows, rowHeight }: ScrollShape): number => Math.min(TALLEST, rows * rowHeight)
/** How many rows one row's height on the bar stands for. */
export const scaleOf = (shape: ScrollShape): number => Math.max(1, (shape.rows * shape.rowHeight) / TALLEST)
/** The position at which the last row is the last that is seen. */
export const lastPosition = ({ rows, rowHeight, height }: ScrollShape): number => Math.max(0, rows - height / rowHeight)

export function positionAt(shape: ScrollShape, top: number): number {
  const room = barHeight(shape) - shape.height
  return room <= 0 ? 0 : Math.min(1, Math.max(0, top / room)) * lastPosition(shape)
}

export function topOf(shape: ScrollShape, position: number): number {
  const last = lastPosition(shape)
  return last === 0 ? 0 : (Math.min(position, last) / last) * (barHeight(shape) - shape.height)
}
