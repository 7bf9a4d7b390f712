/** What one scenario does: a few requests that belong together. Everything in it follows from the dice and from the answers. */
import { groupResource, pathOf, type AnyKind } from '../../../electron/api/kind.ts'
import type { Actor } from '../run/actor.ts'
import type { FuzzRequest } from '../transport/connection.ts'
import { rawAbuse } from '../transport/abuse.ts'
import { brokenBody, jsonBody, plainBody, type Body } from './bodies.ts'
import { customScenario } from './custom.ts'
import type { Dice } from './dice.ts'
import { anyKind, anyObject, NAMESPACES, PREFIX, type ObjectOptions } from './objects.ts'
import { anyPatch } from './patches.ts'
import { roundTrip } from '../oracle/round-trip.ts'
import { DRY_ONLY, GUARDED } from './samples.ts'
import { anyHeaders, anyQuery, anyTarget, subresourcePath } from './targets.ts'

export type Scenario = (actor: Actor, dice: Dice, number: number) => Promise<void>

const SCENARIOS: readonly (readonly [number, Scenario])[] = [
  [40, lifeOfAnObject],
  [16, brokenBodies],
  [14, strangeTargets],
  [10, reads],
  [8, customScenario],
  [6, subresources],
  [3, rawAbuse],
]

export async function play(actor: Actor, dice: Dice, number: number): Promise<void> {
  await dice.weighed(SCENARIOS)(actor, dice, number)
}

export function via(dice: Dice): 'http1' | 'http2' {
  return dice.chance(0.5) ? 'http1' : 'http2'
}

export function write(
  dice: Dice,
  method: string,
  target: string,
  { bytes, type }: Body,
  headers: Record<string, string> = {},
): FuzzRequest {
  return { method, target, headers: { 'content-type': type, ...headers }, body: bytes, via: via(dice) }
}

export function read(dice: Dice, target: string, headers: Record<string, string> = {}): FuzzRequest {
  return { method: 'GET', target, headers, body: null, via: via(dice) }
}

export const GRACE = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, propagationPolicy: 'Background' })

export function remove(dice: Dice, target: string): FuzzRequest {
  return write(dice, 'DELETE', target, { bytes: Buffer.from(GRACE), type: 'application/json' })
}

function optionsFor(dice: Dice, kind: AnyKind, number: number): ObjectOptions {
  // A few names are everybody's, so that scenarios meet.
  const name = dice.chance(0.1) ? `${PREFIX}shared-${dice.int(5)}` : `${PREFIX}${number}`
  const spoilt = dice.chance(0.02) ? dice.one(['Fz_Upper', 'fz-..', `fz-${'x'.repeat(300)}`, 'fz-é', 'fz-/x', 'fz-%2f']) : name
  return { name: spoilt, namespace: dice.one(NAMESPACES), hostility: GUARDED.has(groupResource(kind)) ? 0 : dice.one([0, 0, 0.02, 0.15]) }
}

/** DryRun where more than the object would change; never without. */
const dryOnly = (kind: AnyKind) => DRY_ONLY.has(groupResource(kind))

async function lifeOfAnObject(actor: Actor, dice: Dice, number: number): Promise<void> {
  const kind = anyKind(dice)
  const options = optionsFor(dice, kind, number)
  const guarded = GUARDED.has(groupResource(kind))
  const dry = dryOnly(kind) || dice.chance(0.08) ? 'dryRun=All&' : ''
  const collection = pathOf(kind, kind.namespaced ? options.namespace : undefined)
  const { object } = anyObject(dice, kind, options)
  const validation = dice.chance(0.3) ? `fieldValidation=${dice.one(['Strict', 'Warn', 'Ignore'])}&` : ''
  const created = await actor.ask(write(dice, 'POST', `${collection}?${dry}${validation}`, plainBody(dice, object)))
  if (!created) return
  const made =
    created.status === 201 ? ((created.object?.['metadata'] as { name?: string } | undefined)?.name ?? options.name) : options.name
  const target = `${collection}/${encodeURIComponent(made)}`
  const stored = created.status === 201 && !dry && kind.verbs.includes('get')
  if (stored) await roundTrip(actor, dice, kind, target, created.object)
  for (let i = dice.int(4); i > 0; i--) {
    const patchDry = guarded || dry ? 'dryRun=All&' : dice.chance(0.1) ? 'dryRun=All&' : ''
    const patch = anyPatch(dice, kind, { ...options, name: made })
    const force = patch.type.includes('apply') ? `fieldManager=m${dice.int(3)}&${dice.chance(0.7) ? 'force=true&' : ''}` : ''
    const part = dice.chance(0.15) && kind.subresources['status'] ? '/status' : ''
    const changed = await actor.ask(
      write(dice, 'PATCH', `${target}${part}?${patchDry}${force}${validation}`, jsonBody(patch.body, patch.type)),
    )
    if (changed && changed.status < 300 && !patchDry && !part && kind.verbs.includes('get')) {
      await roundTrip(actor, dice, kind, target, changed.object)
    }
  }
  if (dice.chance(0.2) && !guarded) {
    const next = anyObject(dice, kind, { ...options, name: made }).object
    await actor.send(write(dice, 'PUT', `${target}?${dry}${validation}`, plainBody(dice, next)))
  }
  if (created.status === 201 && !dry) await bury(actor, dice, target, guarded || dice.chance(0.8))
}

/** Deletes it, and what finalizers a patch gave it. */
export async function bury(actor: Actor, dice: Dice, target: string, wholly: boolean): Promise<void> {
  if (!wholly) return
  const deleted = await actor.ask(remove(dice, target))
  const left = deleted?.object?.['metadata'] as { finalizers?: string[] } | undefined
  if (left?.finalizers?.length) {
    await actor.send(write(dice, 'PATCH', target, jsonBody({ metadata: { finalizers: null } }, 'application/merge-patch+json')))
  }
}

async function brokenBodies(actor: Actor, dice: Dice, number: number): Promise<void> {
  const kind = anyKind(dice)
  const options = optionsFor(dice, kind, number)
  const collection = pathOf(kind, kind.namespaced ? options.namespace : undefined)
  const { object } = anyObject(dice, kind, options)
  const dry = 'dryRun=All&'
  for (let i = 1 + dice.int(3); i > 0; i--) {
    const method = dice.one(['POST', 'POST', 'PUT', 'PATCH', 'DELETE'])
    const target = method === 'POST' ? collection : `${collection}/${options.name}`
    const request = write(dice, method, `${target}?${dry}${dice.chance(0.3) ? anyQuery(dice) : ''}`, brokenBody(dice, object))
    await actor.send({ ...request, headers: { ...request.headers, ...(dice.chance(0.2) ? anyHeaders(dice) : {}) } })
  }
}

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'POST', 'PUT', 'PATCH']

async function strangeTargets(actor: Actor, dice: Dice): Promise<void> {
  for (let i = 1 + dice.int(3); i > 0; i--) {
    const method = dice.one(METHODS)
    const body = method === 'POST' || method === 'PUT' || method === 'PATCH' ? Buffer.from('{}') : null
    const given = anyTarget(dice)
    const target = body && !given.includes('?') ? `${given}?dryRun=All` : given.replace('?', '?dryRun=All&')
    const request = { method, target, headers: anyHeaders(dice), body, anonymous: dice.chance(0.1) }
    const how = dice.chance(0.3) ? 'raw' : via(dice)
    await actor.send({ ...request, via: how === 'http2' && request.anonymous ? 'http1' : how })
  }
}

async function reads(actor: Actor, dice: Dice): Promise<void> {
  const kind = anyKind(dice)
  const collection = pathOf(kind, kind.namespaced && dice.chance(0.7) ? dice.one(NAMESPACES) : undefined)
  await actor.send(read(dice, `${collection}?${anyQuery(dice)}`, dice.chance(0.5) ? anyHeaders(dice) : {}))
  const paged = await actor.ask(read(dice, `${collection}?limit=${1 + dice.int(3)}`))
  const token = (paged?.object?.['metadata'] as { continue?: string } | undefined)?.continue
  if (!token) return
  const spoilt = dice.chance(0.3) ? Buffer.from(token, 'base64url').map((byte) => (dice.chance(0.1) ? dice.int(256) : byte)) : null
  const given = spoilt ? Buffer.from(spoilt).toString('base64url') : token
  await actor.send(read(dice, `${collection}?limit=2&continue=${encodeURIComponent(given)}`))
  await actor.send(read(dice, `${collection}?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`))
}

async function subresources(actor: Actor, dice: Dice, number: number): Promise<void> {
  const kind = anyKind(dice)
  const options = optionsFor(dice, kind, number)
  const target = subresourcePath(dice, kind, options.namespace, `${PREFIX}shared-${dice.int(5)}`)
  await actor.send(read(dice, `${target}?${anyQuery(dice)}`))
  const { object } = anyObject(dice, kind, options)
  const body = dice.one<unknown>([
    object,
    { spec: { replicas: dice.one([0, 1, -1, 'x', null]) } },
    { kind: 'Eviction', apiVersion: 'policy/v1', metadata: { name: options.name } },
    { kind: 'Binding', apiVersion: 'v1', metadata: { name: options.name }, target: { kind: 'Node', name: dice.one(['n', '', 'x/y']) } },
    {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      spec: { audiences: dice.one([[], ['a'], null]), expirationSeconds: dice.one([600, 1, -1, 2 ** 40]) },
    },
    { metadata: { name: options.name } },
  ])
  const method = dice.one(['POST', 'PUT', 'PATCH'])
  const type = method === 'PATCH' ? anyPatch(dice, kind, options).type : 'application/json'
  await actor.send(write(dice, method, `${target}?dryRun=All`, jsonBody(body, type)))
}
