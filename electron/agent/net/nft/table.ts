/** Our nftables table: what its parts want in it, kept true. */
import type { Clock } from '../../../base/clock.ts'
import { deferred, Mutex, type Deferred } from '../../../base/async.ts'
import { messageOf } from '../../../base/errors.ts'
import { component, type Component, componentWith } from '../../../base/lifecycle.ts'
import type { Logger } from '../../../base/logger.ts'
import { Backoff } from '../../../machinery/backoff.ts'
import type { Commands } from '../commands.ts'
import { Problems, type ProblemSource } from '../problem.ts'
import { diffRulesets } from './diff.ts'
import { renderAnew, renderOver, TABLE, type TableNames } from './render.ts'
import { EMPTY, mergeRulesets, type Ruleset } from './ruleset.ts'
import { createNft, type Nft } from './session.ts'

export interface NftTableDeps {
  readonly commands: Commands
  readonly clock: Clock
  readonly logger: Logger
  /** Nothing is written before each of them has said what it wants: a table that an earlier run left stays in force until then. */
  readonly parts: readonly string[]
}

export interface NftTable extends Component, ProblemSource {
  /** What `part` wants, asked when it is written: what changes meanwhile is written together. */
  set(part: string, rules: () => Ruleset): void
  /** Resolves when what has been set so far is in force. Rejects if the table is stopped before. */
  settled(): Promise<void>
  /** What is in force; null before the first time. */
  readonly applied: Ruleset | null
  readonly stats: NftStats
}

export interface NftStats {
  /** Transactions: of the whole table, of differences, and those that nft refused. */
  full: number
  partial: number
  failed: number
  /** Milliseconds that the last one took. */
  lastMs: number
}

/** Milliseconds. The first change of a burst waits a moment for those that come with it. */
const GATHER = 10
const BETWEEN = 100
/** How often it is asked whether the table is still ours: `flush ruleset`, as nftables.service does, takes it away. */
const LOOK = 30_000
/** How often all is written again, against what others may have changed in it. */
const RESYNC = 10 * 60_000
const RETRY = { initial: 1000, max: 30_000 }

/** Holds one element, by which the table is known to be ours. */
const OURS = 'ours'
const MARK: Ruleset = {
  chains: new Map(),
  sets: new Map([[OURS, { kind: 'set', spec: 'type inet_service;', elements: new Map([['1', '']]) }]]),
}

/** Disposing leaves the table as it is: connections go on. `removeTable` takes it away. */
export function createNftTable({ commands, clock, logger, parts }: NftTableDeps): NftTable {
  const wanted = new Map<string, () => Ruleset>()
  const problems = new Problems(logger)
  const stats: NftStats = { full: 0, partial: 0, failed: 0, lastMs: 0 }
  const backoff = new Backoff(RETRY)
  const order = new Mutex()
  const nft = createNft({ commands, clock })
  let applied: Ruleset | null = null
  let dirty = false
  let writing = false
  let timer: Disposable | null = null
  let lastAt = Number.NEGATIVE_INFINITY
  let fullAt = Number.NEGATIVE_INFINITY
  let running = false
  const waiting: Deferred<void>[] = []

  const schedule = (delay: number) => {
    if (!running || timer || !parts.every((part) => wanted.has(part))) return
    timer = clock.setTimeout(() => {
      timer = null
      void order.run(sync)
    }, delay)
  }
  const soon = () => schedule(Math.max(GATHER, lastAt + BETWEEN - clock.monotonic()))

  const sync = async () => {
    if (!running || (!dirty && applied)) return
    dirty = false
    writing = true
    const began = clock.monotonic()
    try {
      const next = mergeRulesets([MARK, ...[...wanted.values()].map((rules) => rules())])
      await write(next)
      applied = next
      backoff.reset()
      problems.set('table', null)
    } catch (error) {
      stats.failed++
      dirty = true
      applied = null
      problems.set('table', refused(error))
      schedule(backoff.next())
    }
    writing = false
    lastAt = clock.monotonic()
    stats.lastMs = lastAt - began
    if (dirty) return soon()
    for (const one of waiting.splice(0)) one.resolve()
  }

  const write = async (next: Ruleset) => {
    const change = applied && diffRulesets(applied, next)
    if (change) {
      if (change.length) stats.partial++
      return nft.apply(change)
    }
    stats.full++
    fullAt = clock.monotonic()
    const present = applied ? namesOf(applied) : await readNames(nft)
    if (present && backoff.attempts === 0) {
      try {
        return await nft.apply(renderOver(present, next))
      } catch (error) {
        logger.info('the nftables table of an earlier version is made anew', { error: messageOf(error) })
      }
    }
    await nft.apply(renderAnew(next))
  }

  const look = async () => {
    if (!applied) return
    if (clock.monotonic() - fullAt >= RESYNC) return rewrite()
    try {
      // Written rather than read: nft would first read the whole table.
      await nft.apply([`add element ${TABLE} ${OURS} { 1 }`])
    } catch {
      logger.warn('the nftables table was taken away; it is written again')
      await rewrite()
    }
  }
  const rewrite = async () => {
    applied = null
    dirty = true
    await sync()
  }

  const base = component(async (stack) => {
    stack.use(nft)
    running = true
    stack.defer(async () => {
      running = false
      timer?.[Symbol.dispose]()
      await order.run(() => undefined)
      for (const one of waiting) one.reject(new DOMException('the nftables table is stopped', 'AbortError'))
    })
    stack.use(clock.setInterval(() => void order.run(look), LOOK, { unref: true }))
    soon()
  })

  return componentWith(base, {
    set(part, rules) {
      if (!parts.includes(part)) throw new Error(`${part} is no part of the nftables table`)
      wanted.set(part, rules)
      dirty = true
      soon()
    },
    async settled() {
      if (applied && !dirty && !writing) return
      const one = deferred<void>()
      one.promise.catch(() => undefined)
      waiting.push(one)
      await one.promise
    },
    get applied() {
      return applied
    },
    get problems() {
      return problems.problems
    },
    problemsChanged: problems.problemsChanged,
    stats,
  })
}

export async function removeTable(commands: Commands): Promise<void> {
  await commands.run('nft', ['-f', '-'], `${renderAnew(EMPTY).slice(0, 2).join('\n')}\n`)
}

function namesOf({ chains, sets }: Ruleset): TableNames {
  return { chains: [...chains.keys()], sets: [...sets].map(([name, { kind }]) => ({ name, kind })) }
}

/** Null if there is no such table. */
async function readNames(nft: Nft): Promise<TableNames | null> {
  let text: string
  try {
    text = await nft.read('-t', '-j', 'list', 'table', ...TABLE.split(' '))
  } catch {
    return null
  }
  const { nftables } = JSON.parse(text) as { nftables: Record<string, { name?: string }>[] }
  const named = (kind: string) => nftables.flatMap((entry) => entry[kind]?.name ?? [])
  return {
    chains: named('chain'),
    sets: [
      ...named('set').map((name) => ({ name, kind: 'set' as const })),
      ...named('map').map((name) => ({ name, kind: 'map' as const })),
    ],
  }
}

function refused(error: unknown) {
  return {
    reason: 'NftablesFailed',
    message: `The nftables rules of Services and pods were refused: ${messageOf(error)}. Try "nft list ruleset" on the machine; it is tried again by itself.`,
    blocking: true,
  }
}
