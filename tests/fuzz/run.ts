/**
 * `npm run fuzz [-- --requests N] [--seed S] [--from N] [--at-once N]`: random requests from a seed against a plane in a process of its
 * own, each answer judged, and the process watched. Prints what was found with the smallest request that shows it, and ends with
 * `N requests, N findings`; 1 where there are findings, 2 for a wrong call.
 */
import { parseArgs } from 'node:util'
import { startHost } from './host/start-host.ts'
import { fuzz } from './run/driver.ts'

const REQUESTS = 20_000
const STRETCH = 2500

function count(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  process.stderr.write(`error: --${name} takes a whole number, not "${text}".\nnext: npm run fuzz -- --requests 20000 --seed 1\n`)
  process.exit(2)
}

const mebibytes = (bytes: number) => `${Math.round(bytes / 1048576)} MiB`

async function main(): Promise<number> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { requests: text, seed: text, from: text, 'at-once': text } })
  await using host = await startHost()
  const { requests, findings, statuses } = await fuzz(host, {
    seed: count('seed', values.seed, 1),
    requests: count('requests', values.requests, REQUESTS),
    from: count('from', values.from, 0),
    atOnce: Math.max(1, count('at-once', values['at-once'], values.from === undefined ? 8 : 1)),
    stretch: STRETCH,
    onFinding({ rule, message, again, requests: shown }) {
      process.stdout.write(`\nFOUND ${rule}: ${message}\n  again: ${again}\n${shown.replace(/^/gm, '  | ')}\n`)
    },
    onStretch(done, { rss, heapUsed, sockets, watchers }) {
      process.stderr.write(
        `${done} requests; ${mebibytes(rss)} in memory, ${mebibytes(heapUsed)} of heap, ${sockets} sockets, ${watchers} watches\n`,
      )
    },
  })
  const seen = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status === 0 ? 'closed' : status}: ${times}`)
  process.stdout.write(`\n${seen.join(', ')}\n${requests} requests, ${findings.length} findings\n`)
  return findings.length > 0 ? 1 : 0
}

process.exitCode = await main()
