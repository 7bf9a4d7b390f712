/** What was accepted can be read back as it was answered, and written again without a change. */
import { isDeepStrictEqual } from 'node:util'
import type { AnyKind } from '../../../electron/api/kind.ts'
import type { Dice } from '../generate/dice.ts'
import { differences } from './differences.ts'
import { jsonBody } from '../generate/bodies.ts'
import type { Actor } from '../run/actor.ts'

type Loose = Record<string, unknown>

interface Metadata {
  readonly resourceVersion?: string
  readonly deletionTimestamp?: string
  readonly managedFields?: unknown
}

const metadataOf = (object: Loose | undefined) => (object?.['metadata'] ?? {}) as Metadata
const versionOf = (object: Loose | undefined) => metadataOf(object).resourceVersion

export async function roundTrip(
  actor: Actor,
  dice: Dice,
  kind: Pick<AnyKind, 'verbs'>,
  target: string,
  answered: Loose | undefined,
): Promise<void> {
  const request = { headers: {}, via: dice.chance(0.5) ? 'http1' : 'http2' } as const
  const read = await actor.ask({ ...request, method: 'GET', target, body: null })
  if (read?.status !== 200 || !read.object) return
  if (versionOf(read.object) === versionOf(answered) && !isDeepStrictEqual(read.object, answered)) {
    throw actor.broken('read-back', `${target}: ${differences(answered, read.object)}`)
  }
  if (metadataOf(read.object).deletionTimestamp) return
  if (kind.verbs.includes('update')) await rewritten(actor, target, read.object)
  // A node's taints and the rules of an aggregated role are set right by controllers as often as someone else applies others.
  const contested = target.startsWith('/api/v1/nodes/') || 'aggregationRule' in read.object
  if (kind.verbs.includes('patch') && !contested && dice.chance(0.3)) await reapplied(actor, target, read.object)
}

/** PUT of what was read changes nothing. Others may change or delete it meanwhile, which is a 409 or 404. */
async function rewritten(actor: Actor, target: string, object: Loose): Promise<void> {
  const { bytes, type } = jsonBody(object)
  const written = await actor.ask({ method: 'PUT', target, headers: { 'content-type': type }, body: bytes, via: 'http1' })
  if (!written || [404, 409, 429].includes(written.status)) return
  if (written.status >= 300) {
    throw actor.broken(
      'rewrite-refused',
      `${target}: ${written.status} ${String(written.object?.['message'])} to ${bytes.toString('utf8').slice(0, 1500)}`,
    )
  }
  if (versionOf(written.object) !== versionOf(object)) {
    throw actor.broken('rewrite-changed', `${target}: ${differences(object, written.object)}`)
  }
}

const LOOKS = 5

/** The second apply of the same fields by the same manager changes nothing. */
async function reapplied(actor: Actor, target: string, object: Loose): Promise<void> {
  const { resourceVersion: _, managedFields: __, ...metadata } = metadataOf(object)
  const { bytes } = jsonBody({ ...object, metadata })
  const url = `${target}?fieldManager=again&force=true`
  const apply = () =>
    actor.ask({ method: 'PATCH', target: url, headers: { 'content-type': 'application/apply-patch+yaml' }, body: bytes, via: 'http2' })
  const first = await apply()
  if (first?.status !== 200) {
    if (!first || [404, 409, 429].includes(first.status)) return
    // What a PUT may have twice or without a key, an apply may not, as upstream.
    if (/duplicate entries for key|omits all key fields/.test(String(first.object?.['message']))) return
    throw actor.broken(
      'apply-refused',
      `${target}: ${first.status} ${String(first.object?.['message'])} to ${bytes.toString('utf8').slice(0, 1500)}`,
    )
  }
  // A controller may change it in between, and for ever against what was applied: but not each time before the next look.
  for (let i = 0; ; i++) {
    const before = await actor.ask({ method: 'GET', target, headers: {}, body: null, via: 'http1' })
    const after = await apply()
    if (before?.status !== 200 || after?.status !== 200 || versionOf(after.object) === versionOf(before.object)) return
    if (i === LOOKS) throw actor.broken('apply-changed', `${target}: ${differences(before.object, after.object)}`)
  }
}
