import { Session, type Profiler } from 'node:inspector'

/** How often the event loop is looked at, and how long it may be held, in milliseconds. */
const LOOK = 50
const HELD = 1000
/** How often the processor's work is sampled, in microseconds, and how long one profile lasts, in milliseconds. */
const SAMPLE = 10_000
const PROFILE = 10_000
const SHOWN = 8

/**
 * Tells when the event loop did nothing else for more than a second of processor time, and with what: a machine that gives this process
 * none for a while is no fault of its own.
 */
export function watchLoop(tell: (message: string) => void): Disposable {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: SAMPLE })
  session.post('Profiler.start')
  let profiled = performance.now()
  let seen = profiled
  let used = process.threadCpuUsage()
  const timer = setInterval(() => {
    const now = performance.now()
    const cpu = process.threadCpuUsage(used)
    const busy = (cpu.user + cpu.system) / 1000
    const held = now - seen > HELD && busy > HELD
    if (held || now - profiled > PROFILE) {
      const took = now - seen
      session.post('Profiler.stop', (_error, answer) => {
        if (held) tell(`the event loop was held for ${Math.round(took)} ms, ${Math.round(busy)} ms of them at work: ${work(answer, took)}`)
      })
      session.post('Profiler.start')
      profiled = performance.now()
    }
    seen = performance.now()
    used = process.threadCpuUsage()
  }, LOOK)
  timer.unref()
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      session.disconnect()
    },
  }
}

/** The functions that were under way most of the last `ms`, each with its share in milliseconds. */
function work(answer: Profiler.StopReturnType | undefined, ms: number): string {
  const { nodes = [], samples = [], timeDeltas = [] } = answer?.profile ?? {}
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const above = new Map(nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id] as const)))
  const shares = new Map<string, number>()
  let left = ms * 1000
  for (let i = samples.length - 1; i >= 0 && left > 0; i--) {
    const spent = timeDeltas[i] ?? 0
    left -= spent
    const names = new Set<string>()
    for (let at = samples[i]; at !== undefined; at = above.get(at)) {
      const { functionName = '', url = '', lineNumber = 0 } = byId.get(at)?.callFrame ?? {}
      if (url || functionName === '(garbage collector)')
        names.add(`${functionName} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`)
    }
    for (const name of names) shares.set(name, (shares.get(name) ?? 0) + spent / 1000)
  }
  const sorted = [...shares].filter(([name]) => !name.includes('loop-watch')).sort(([, a], [, b]) => b - a)
  return sorted
    .slice(0, SHOWN)
    .map(([name, spent]) => `${Math.round(spent)} ms ${name}`)
    .join(', ')
}
