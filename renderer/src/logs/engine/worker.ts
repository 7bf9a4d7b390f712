/** The web worker in which a log is kept: a root of its own, so it has its own clock. */
import { LogEngine } from './engine.ts'
import type { FromEngine, ToEngine } from './protocol.ts'

const tell = (message: FromEngine) => globalThis.postMessage(message)
const engine = new LogEngine({
  later: (fn, ms) => void setTimeout(fn, ms),
  clock: () => performance.now(),
  show: (snapshot) => tell({ snapshot }),
})

globalThis.onmessage = ({ data: { call, operation } }: MessageEvent<ToEngine>) => {
  try {
    tell({ call, reply: engine.handle(operation) })
  } catch (error) {
    tell({ call, error: error instanceof Error ? error.message : String(error) })
  }
}
