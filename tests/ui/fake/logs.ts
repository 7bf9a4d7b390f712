/** Logs that grow: as `pods/log` with timestamps gives them. */
import { systemClock } from '../../../electron/base/clock.ts'
import type { Duplex } from '../../../electron/contracts/duplex.ts'

const MESSAGES = [
  'INFO POST /cart 200 in 41 ms',
  'INFO POST /pay 202 in 88 ms order=51877',
  'INFO warm cache, 41 022 price rows',
  'WARN heap 214 Mi of 256 Mi, collector ran 9 times in 1 s',
  'INFO POST /cart 200 in 37 ms',
  'WARN pool timeout after 800 ms, data/redis, retry 1',
  'ERROR pay: upstream timeout after 1.5 s order=51879',
  'INFO GET /healthz 200 in 1 ms',
]
const STEP_MS = 250
const PAST = 200

/** Lines are a function of their number, so that asking again gives the same ones. */
function line(began: number, n: number): { time: string; ms: number; text: string } {
  const ms = began + n * STEP_MS
  const time = `${new Date(ms).toISOString().slice(0, 23)}${String(100_000 + (n % 899_999)).padStart(6, '0')}Z`
  return { time, ms, text: `${time} ${MESSAGES[n % MESSAGES.length] ?? ''}\n` }
}

export interface LogRequest {
  readonly pod: string
  readonly previous?: boolean | undefined
  readonly follow?: boolean | undefined
  readonly sinceTime?: string | undefined
  readonly tailLines?: number | undefined
}

export async function streamLog(request: LogRequest, duplex: Duplex<never, Record<never, never>>, origin: number): Promise<void> {
  const encoder = new TextEncoder()
  if (request.previous) {
    await duplex.send(
      {},
      encoder.encode(`${line(origin - 900_000, 1).text}${line(origin - 900_000, 2).time} ERROR killed: out of memory, exit 137\n`),
    )
    return
  }
  const past = request.pod.includes('chatty') ? 150_000 : PAST
  const began = origin - past * STEP_MS
  const count = () => Math.floor((systemClock.now() - began) / STEP_MS)
  let next = Math.max(0, count() - Math.min(request.tailLines ?? Number.POSITIVE_INFINITY, past + 10_000))
  if (request.sinceTime) next = Math.max(0, Math.floor((Math.floor(Date.parse(request.sinceTime) / 1000) * 1000 - began) / STEP_MS))
  while (!duplex.signal.aborted) {
    const end = count()
    while (next < end) {
      let text = ''
      for (const stop = Math.min(end, next + 2000); next < stop; next++) text += line(began, next).text
      await duplex.send({}, encoder.encode(text))
    }
    if (!request.follow) return
    await new Promise<void>((resolve) => void systemClock.setTimeout(resolve, STEP_MS))
  }
}
