/** The load, in a process of its own: does what it is told over IPC, one thing after the other, and answers with figures. */
import type { TLSSocket } from 'node:tls'
import { Connection, openSocket, requestBytes } from './connection.ts'
import { configMapNamed, podNamed, PODS_PATH, SMALL_PATH } from './objects.ts'
import type { Identity } from './servers.ts'

export type Job =
  | { readonly do: 'prepare' }
  | { readonly do: 'create'; readonly count: number }
  | { readonly do: 'get' | 'patch'; readonly count: number; readonly seconds: number }
  | { readonly do: 'list'; readonly times: number }
  | { readonly do: 'fan-out'; readonly watchers: number; readonly events: number }

export interface Figures {
  readonly operations: number
  readonly seconds: number
  /** Of single operations or of deliveries, in milliseconds. */
  readonly p50: number
  readonly p99: number
}

const CONNECTIONS = 50

const identity = JSON.parse(process.argv[2] ?? '{}') as Identity
const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(identity)))

process.on('message', (job: Job) => void run(job).then((figures) => process.send?.(figures)))
process.on('disconnect', () => process.exit(0))
process.send?.('ready')

function run(job: Job): Promise<Figures> {
  switch (job.do) {
    case 'prepare':
      return prepare()
    case 'create':
      return closedLoop((i) => (i < job.count ? requestBytes('POST', PODS_PATH, podNamed(i)) : null), 201)
    case 'get': {
      const all = Array.from({ length: job.count }, (_, i) => requestBytes('GET', `${PODS_PATH}/pod-${i}`))
      return closedLoop(
        during(job.seconds, (i) => all[(i * 7919) % job.count] as Buffer),
        200,
      )
    }
    case 'patch': {
      const body = (i: number) => `{"metadata":{"annotations":{"touched":"${i}"}}}`
      const one = (i: number) =>
        requestBytes('PATCH', `${PODS_PATH}/pod-${(i * 7919) % job.count}`, body(i), 'application/merge-patch+json')
      return closedLoop(during(job.seconds, one), 200)
    }
    case 'list':
      return lists(job.times)
    case 'fan-out':
      return fanOut(job.watchers, job.events)
  }
}

function during(seconds: number, make: (i: number) => Buffer): (i: number) => Buffer | null {
  const until = performance.now() + seconds * 1000
  return (i) => (performance.now() < until ? make(i) : null)
}

/** What the tests' namespace needs where no controller makes it. */
async function prepare(): Promise<Figures> {
  const [one] = connections as [Connection]
  await one.ask(requestBytes('POST', '/api/v1/namespaces', '{"metadata":{"name":"bench"}}'))
  const account = '{"metadata":{"name":"default"},"automountServiceAccountToken":false}'
  await one.ask(requestBytes('POST', '/api/v1/namespaces/bench/serviceaccounts', account))
  return { operations: 2, seconds: 0, p50: 0, p99: 0 }
}

/** Each connection asks again as soon as it has its answer, until there is nothing more to ask. */
async function closedLoop(next: (i: number) => Buffer | null, expected: number): Promise<Figures> {
  const times: number[] = []
  let i = 0
  const begun = performance.now()
  await Promise.all(
    connections.map(async (connection) => {
      for (;;) {
        const request = next(i++)
        if (!request) return
        const asked = performance.now()
        const status = await connection.ask(request)
        if (status !== expected) throw new Error(`the answer was ${status}`)
        times.push(performance.now() - asked)
      }
    }),
  )
  return figures(times, times.length, begun)
}

async function lists(count: number): Promise<Figures> {
  const [one] = connections as [Connection]
  const times: number[] = []
  const begun = performance.now()
  for (let i = 0; i < count; i++) {
    const asked = performance.now()
    if ((await one.ask(requestBytes('GET', PODS_PATH))) !== 200) throw new Error('the list failed')
    times.push(performance.now() - asked)
  }
  return figures(times, count, begun)
}

const STAMP = Buffer.from('"t":"')

/** Many watch the same; each event's lag is from before its request was sent until each watcher had it. */
async function fanOut(watchers: number, events: number): Promise<Figures> {
  const sockets: TLSSocket[] = []
  const lags: number[] = []
  let delivered = 0
  const all = Promise.withResolvers<void>()
  for (let i = 0; i < watchers; i++) {
    const socket = await openSocket(identity)
    sockets.push(socket)
    const begun = Promise.withResolvers<void>()
    socket.on('data', (part: Buffer) => {
      begun.resolve()
      for (let at = part.indexOf(STAMP); at >= 0; at = part.indexOf(STAMP, at + 5)) {
        lags.push(performance.now() - Number(part.toString('latin1', at + 5, part.indexOf(0x22, at + 5))))
        if (++delivered === watchers * events) all.resolve()
      }
    })
    socket.write(requestBytes('GET', `${SMALL_PATH}?watch=1&resourceVersion=0`))
    await begun.promise
  }
  const [writer] = connections as [Connection]
  const begun = performance.now()
  for (let i = 0; i < events; i++) {
    await writer.ask(requestBytes('POST', SMALL_PATH, configMapNamed(i, performance.now())))
  }
  await all.promise
  const result = figures(lags, delivered, begun)
  for (const socket of sockets) socket.destroy()
  return result
}

function figures(times: number[], operations: number, begun: number): Figures {
  const seconds = (performance.now() - begun) / 1000
  const sorted = Float64Array.from(times).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { operations, seconds, p50: at(0.5), p99: at(0.99) }
}
