import { sleep, type Clock } from '../../base/clock.ts'

/** Milliseconds for which the index may hold the plane's thread at a stretch. */
const STRETCH_MS = 4
/** How many steps are made between two looks at the clock. */
const STEPS = 512

/** Long work in short stretches, so that whoever else lives in this thread gets a turn. */
export class Pace {
  readonly #clock: Clock
  #began: number
  #steps = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#began = clock.monotonic()
  }

  /** Whether it is time to wait for `rest`; cheap enough to ask at each step. */
  get tired(): boolean {
    return ++this.#steps % STEPS === 0 && this.late
  }

  get late(): boolean {
    return this.#clock.monotonic() - this.#began > STRETCH_MS
  }

  async rest(): Promise<void> {
    await sleep(this.#clock, 0)
    this.#began = this.#clock.monotonic()
  }
}

/** The items in order: sorted run by run, then merged. Stable. */
export async function sortInPeace<T>(items: readonly T[], compare: (a: T, b: T) => number, pace: Pace): Promise<T[]> {
  const RUN = 2048
  let runs: T[][] = []
  for (let at = 0; at < items.length; at += RUN) {
    runs.push(items.slice(at, at + RUN).sort(compare))
    if (pace.late) await pace.rest()
  }
  while (runs.length > 1) {
    const next: T[][] = []
    for (let at = 0; at < runs.length; at += 2) {
      const [a = [], b] = runs.slice(at, at + 2)
      next.push(b ? await merge(a, b, compare, pace) : a)
    }
    runs = next
  }
  return runs[0] ?? []
}

async function merge<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number, pace: Pace): Promise<T[]> {
  const result: T[] = []
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const [left, right] = [a[i] as T, b[j] as T]
    if (compare(left, right) <= 0) {
      result.push(left)
      i++
    } else {
      result.push(right)
      j++
    }
    if (pace.tired) await pace.rest()
  }
  while (i < a.length) result.push(a[i++] as T)
  while (j < b.length) result.push(b[j++] as T)
  return result
}
