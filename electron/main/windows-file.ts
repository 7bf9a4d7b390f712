/** Which windows there were, where, and what they showed. */
import { readFileSync, writeFileSync } from 'node:fs'
import * as v from 'valibot'
import type { WindowPlace } from './window-bounds.ts'

export interface KeptWindow extends WindowPlace {
  /** What follows "#" in its address: "/pods". */
  readonly route: string
}

/** More are not opened again by themselves. */
const MOST = 8
const size = v.pipe(v.number(), v.integer(), v.minValue(300), v.maxValue(20_000))
const at = v.optional(v.pipe(v.number(), v.integer()))
const schema = v.array(
  v.object({
    x: at,
    y: at,
    width: size,
    height: size,
    maximized: v.boolean(),
    route: v.pipe(v.string(), v.startsWith('/'), v.maxLength(2048)),
  }),
)

/** None where that is unknown, or makes no sense. */
export function readWindows(file: string): readonly KeptWindow[] {
  try {
    return v.parse(schema, JSON.parse(readFileSync(file, 'utf8'))).slice(0, MOST)
  } catch {
    return []
  }
}

/** Losing it costs nothing, so a failure is not told. */
export function saveWindows(file: string, windows: readonly KeptWindow[]): void {
  try {
    writeFileSync(file, JSON.stringify(windows))
  } catch {
    // Windows open at their default place next time.
  }
}
