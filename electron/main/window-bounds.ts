import { readFileSync, writeFileSync } from 'node:fs'

interface Bounds {
  readonly x?: number
  readonly y?: number
  readonly width: number
  readonly height: number
}

const DEFAULT: Bounds = { width: 1440, height: 900 }

/** Where the window was last time; the default if that is unknown or makes no sense. */
export function readBounds(file: string): Bounds {
  try {
    const { x, y, width, height } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    const sizes = [width, height].every((n) => Number.isInteger(n) && (n as number) >= 300 && (n as number) <= 20_000)
    if (!sizes) return DEFAULT
    const place = [x, y].every((n) => Number.isInteger(n)) ? { x: x as number, y: y as number } : {}
    return { ...place, width: width as number, height: height as number }
  } catch {
    return DEFAULT
  }
}

/** Losing it costs nothing, so a failure is not told. */
export function saveBounds(file: string, bounds: Bounds): void {
  try {
    writeFileSync(file, JSON.stringify(bounds))
  } catch {
    // The window opens at its default place next time.
  }
}
