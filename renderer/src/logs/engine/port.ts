/** The way to a log engine, wherever it runs. */
import type { FromEngine, ToEngine } from './protocol.ts'

export interface EnginePort {
  post(message: ToEngine): void
  onMessage(listener: (message: FromEngine) => void): void
  close(): void
}

/** In a web worker of its own, which ends with the port. */
export function startEngineWorker(): EnginePort {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'log' })
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => (worker.onmessage = ({ data }: MessageEvent<FromEngine>) => listener(data)),
    close: () => worker.terminate(),
  }
}
