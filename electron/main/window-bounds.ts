/** In pixels that do not depend on the display's scale. Without x and y: in the middle of the main display. */
export interface Bounds {
  readonly x?: number
  readonly y?: number
  readonly width: number
  readonly height: number
}

export interface WindowPlace extends Bounds {
  readonly maximized: boolean
}

export const DEFAULT_PLACE: WindowPlace = { width: 1440, height: 900, maximized: false }
/** How much of a window must be on a display, so that it can be seen and moved. */
const VISIBLE = 100

/** The bounds as they fit on displays whose work areas these are: one may have been unplugged meanwhile. */
export function fitTo(bounds: Bounds, areas: readonly Required<Bounds>[]): Bounds {
  const { x, y, width, height } = bounds
  const area = areas.find(
    (a) =>
      x !== undefined &&
      y !== undefined &&
      Math.min(x + width, a.x + a.width) - Math.max(x, a.x) >= VISIBLE &&
      y >= a.y - VISIBLE / 2 &&
      y <= a.y + a.height - VISIBLE,
  )
  const room = area ?? areas[0]
  if (!room) return { width, height }
  const size = { width: Math.min(width, room.width), height: Math.min(height, room.height) }
  return area && x !== undefined && y !== undefined ? { x, y, ...size } : size
}
