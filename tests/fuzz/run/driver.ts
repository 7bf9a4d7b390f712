/** A run: scenarios from a seed against one plane, in stretches; after each stretch everything is deleted and the process measured. */
import { groupResource, pathOf } from '../../../electron/api/kind.ts'
import { KINDS } from '../../../electron/api/kinds.gen.ts'
import { mapLimit } from '../../../electron/base/async.ts'
import { Dice } from '../generate/dice.ts'
import { NAMESPACES, PREFIX } from '../generate/objects.ts'
import { GRACE, play } from '../generate/scenario.ts'
import type { Host } from '../host/start-host.ts'
import type { Measured } from '../host/messages.ts'
import { parsed } from '../oracle/status.ts'
import { Transport, type FuzzRequest } from '../transport/connection.ts'
import { Actor, Broken } from './actor.ts'
import { requestText, shrink } from './shrink.ts'

export interface RunOptions {
  readonly seed: number
  readonly requests: number
  /** Scenarios at the same time. */
  readonly atOnce: number
  /** Requests between two looks at memory. */
  readonly stretch: number
  /** The first scenario's number. */
  readonly from?: number
  /** Told at once. */
  readonly onFinding?: (finding: Finding) => void
  /** Told when a stretch is over. */
  readonly onStretch?: (done: number, measured: Measured) => void
}

export interface Finding {
  readonly rule: string
  readonly message: string
  /** What to run to see it again. */
  readonly again: string
  /** The smallest request that shows it, or all of the scenario's if one does not. */
  readonly requests: string
}

export interface RunResult {
  readonly requests: number
  readonly findings: readonly Finding[]
  /** How many answers had each status; 0 is a connection that was ended. */
  readonly statuses: ReadonlyMap<number, number>
  readonly measured: readonly Measured[]
}

/** One of each is enough to see what is wrong. */
const SAME = 3

export async function fuzz(host: Host, options: RunOptions): Promise<RunResult> {
  using transport = new Transport(host.peer)
  const findings: Finding[] = []
  const statuses = new Map<number, number>()
  const measured: Measured[] = []
  const sent = { requests: 0 }
  const active = new Set<Actor>()
  await cleanUp(transport)
  measured.push(await settled(host, null))
  let number = options.from ?? 0
  while (sent.requests < options.requests) {
    const until = Math.min(options.requests, sent.requests + options.stretch)
    await Promise.all(
      Array.from({ length: options.atOnce }, async () => {
        while (sent.requests < until) await one(number++)
      }),
    )
    await cleanUp(transport)
    measured.push(await settled(host, measured[0] ?? null))
    collect(host, options.seed, `${number}`)
    options.onStretch?.(sent.requests, measured.at(-1) as Measured)
  }
  for (const finding of memoryFindings(measured, options.seed)) found(finding)
  return { requests: sent.requests, findings, statuses, measured }

  function found(finding: Finding): void {
    findings.push(finding)
    options.onFinding?.(finding)
  }

  async function one(number: number): Promise<void> {
    const actor = new Actor(transport, (answer) => {
      sent.requests++
      const status = answer?.status ?? 0
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    })
    active.add(actor)
    try {
      await play(actor, new Dice(options.seed, number), number)
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      const { rule, message } = error.violation
      if (findings.filter((finding) => finding.rule === rule && alike(finding.message, message)).length >= SAME) return
      const { request, alone } = await shrink(transport, error)
      const requests = alone ? requestText(request) : error.sent.map(requestText).join('\n---\n')
      found({ rule, message, again: `npm run fuzz -- --seed ${options.seed} --from ${number} --requests 1`, requests })
    }
    collect(
      host,
      options.seed,
      String(number),
      [...active].flatMap(({ sent }) => sent.slice(-3)),
    )
    active.delete(actor)
  }

  function collect(from: Host, seed: number, number: string, last: readonly FuzzRequest[] = []): void {
    for (const { rule, message } of from.faults()) {
      if (findings.filter((finding) => finding.rule === rule && alike(finding.message, message)).length >= SAME) continue
      const again = `npm run fuzz -- --seed ${seed}, near scenario ${number}`
      found({ rule, message, again, requests: last.map(requestText).join('\n---\n') })
    }
  }
}

/** Names and numbers apart. */
function alike(one: string, other: string): boolean {
  const bare = (text: string) => text.replace(/fz-?[a-z0-9-]*|[0-9a-f-]{8,}|\d+|"time":"[^"]*"/g, '').slice(0, 160)
  return bare(one) === bare(other)
}

/** Grown by more than this after the run has warmed up, memory is not flat: in bytes. */
const HEAP_ROOM = 40 << 20
const RSS_ROOM = 160 << 20

function memoryFindings(measured: readonly Measured[], seed: number): Finding[] {
  const found: Finding[] = []
  const add = (rule: string, message: string) => found.push({ rule, message, again: `npm run fuzz -- --seed ${seed}`, requests: '' })
  const [first] = measured
  const last = measured.at(-1)
  if (!first || !last) return found
  const warm = measured[Math.max(1, Math.floor(measured.length / 3))] ?? first
  if (last.heapUsed - warm.heapUsed > HEAP_ROOM) add('memory', `the heap grew from ${warm.heapUsed} to ${last.heapUsed} bytes`)
  if (last.rss - warm.rss > RSS_ROOM) add('memory', `the process grew from ${warm.rss} to ${last.rss} bytes`)
  if (last.watchers > first.watchers) add('leaked-watch', `${first.watchers} long requests were there before, ${last.watchers} after`)
  if (last.sockets > first.sockets + LEFT_OPEN) add('leaked-socket', `${first.sockets} sockets were open before, ${last.sockets} after`)
  return found
}

/** The run's own connections, which it keeps. */
const LEFT_OPEN = 40

/** Once what clients left behind is gone, or stays whatever one waits. */
async function settled(host: Host, first: Measured | null): Promise<Measured> {
  let now = await host.measure()
  for (let i = 0; first && i < 100 && (now.watchers > first.watchers || now.sockets > first.sockets + LEFT_OPEN); i++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    now = await host.measure()
  }
  return now
}

/**
 * Somebody asks for 2147483647 replicas sooner or later, and the controllers make them, one by one, until nothing else gets its turn.
 * Here as anywhere a quota is what stops that.
 */
const QUOTA = { metadata: { name: `${PREFIX}quota` }, spec: { hard: { pods: '100', 'count/jobs.batch': '200' } } }

/** Deletes what a run has left, and makes its namespaces. */
async function cleanUp(transport: Transport): Promise<void> {
  const send = async (method: string, target: string, body?: string, type = 'application/json') => {
    const request = {
      method,
      target,
      headers: { ...(body === undefined ? {} : { 'content-type': type }) } as Record<string, string>,
      via: 'http1' as const,
    }
    return transport.send({ ...request, body: body === undefined ? null : Buffer.from(body) }).catch(() => null)
  }
  const made = (await send('GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'))?.body
  const deletable = KINDS.filter((kind) => kind.verbs.includes('delete') && !kind.storedAs && groupResource(kind) !== 'namespaces')
  if (made) for (const name of namesIn(made)) await send('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`, GRACE)
  await mapLimit(deletable, 4, async (kind) => {
    const collection = pathOf(kind)
    const all = parsed((await send('GET', collection))?.body ?? Buffer.alloc(0))
    for (const { metadata } of (all?.['items'] ?? []) as { metadata: { name: string; namespace?: string; finalizers?: string[] } }[]) {
      const ours = kind.namespaced ? metadata.namespace?.startsWith(PREFIX) : metadata.name.startsWith(PREFIX)
      if (!ours) continue
      const target = pathOf(kind, metadata.namespace, metadata.name)
      const deleted = await send('DELETE', target, GRACE)
      if (metadata.finalizers?.length && deleted?.status === 200) {
        await send('PATCH', target, '{"metadata":{"finalizers":null}}', 'application/merge-patch+json')
      }
    }
  })
  const namespaces = namesIn((await send('GET', '/api/v1/namespaces'))?.body ?? Buffer.alloc(0))
  for (const name of namespaces)
    if (name.startsWith(PREFIX) && !NAMESPACES.includes(name as (typeof NAMESPACES)[number]))
      await send('DELETE', `/api/v1/namespaces/${name}`, GRACE)
  for (const name of NAMESPACES) {
    await send('POST', '/api/v1/namespaces', JSON.stringify({ metadata: { name } }))
    await send('POST', `/api/v1/namespaces/${name}/resourcequotas`, JSON.stringify(QUOTA))
  }
}

function namesIn(list: Buffer): string[] {
  const items = (parsed(list)?.['items'] ?? []) as { metadata: { name: string } }[]
  return items.map((item) => item.metadata.name)
}
