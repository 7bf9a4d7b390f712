/**
 * What extenders say of one pod. They answer when they answer, while a decision is made without a pause: so they are asked first, of the
 * nodes that fit at that moment, and the decision is then made with their advice at hand. Source: kubernetes `scheduler/schedule_one.go`,
 * `findNodesThatPassExtenders`, `prioritizeNodes`; `framework/preemption`, `callExtenders`.
 */
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { stateKey } from '../framework/cycle-state.ts'
import { errorStatus, unresolvable, unschedulable, type Status } from '../framework/status.ts'
import type { ApprovedVictims, Extender, ProposedVictims } from './extender.ts'

export interface Advice {
  /** By node that was asked about; null: none of them objects. */
  readonly verdicts: ReadonlyMap<string, Status | null>
  /** By extender, then by node: from 0 to 100. */
  readonly scores: ReadonlyMap<Extender, ReadonlyMap<string, number>>
  /** Null: nobody was asked. */
  readonly victims: ApprovedVictims | null
  /** One that must answer did not. */
  readonly fault: Status | null
}

export const ADVICE = stateKey<Advice>('Advice')

interface Asking {
  readonly signal: AbortSignal
  readonly logger: Logger
}

type Writable = { -readonly [K in keyof Advice]: Advice[K] }

/** One extender after the other filters what those before it left; those that score are asked together. */
export async function askAboutNodes(extenders: readonly Extender[], pod: Pod, nodes: readonly Node[], asking: Asking): Promise<Advice> {
  const verdicts = new Map<string, Status | null>(nodes.map(({ metadata }) => [metadata.name, null]))
  const scores = new Map<Extender, ReadonlyMap<string, number>>()
  const advice: Writable = { verdicts, scores, victims: null, fault: null }
  let left = nodes
  for (const extender of extenders) {
    if (left.length === 0) break
    const answer = await attempt(extender, advice, asking, () => extender.filter(pod, left, asking.signal))
    if (advice.fault) return advice
    if (!answer) continue
    for (const [node, reason] of answer.failed) verdicts.set(node, unschedulable(extender.name, [reason]))
    for (const [node, reason] of answer.unresolvable) verdicts.set(node, unresolvable(extender.name, [reason]))
    for (const { metadata } of left) {
      if (answer.passed.has(metadata.name) || verdicts.get(metadata.name)) continue
      verdicts.set(metadata.name, unschedulable(extender.name, ['the extender left the node out']))
    }
    left = left.filter(({ metadata }) => !verdicts.get(metadata.name))
  }
  if (left.length < 2) return advice
  // Who does not answer has no preference, even if it must be asked.
  await Promise.all(
    extenders.map(async (extender) => {
      try {
        scores.set(extender, await extender.prioritize(pod, left, asking.signal))
      } catch (error) {
        asking.logger.warn('an extender did not score the nodes', { extender: extender.name, error: messageOf(error) })
      }
    }),
  )
  return advice
}

/** Each extender that has a say in preemption narrows down what those before it agreed to. */
export async function askAboutVictims(
  extenders: readonly Extender[],
  pod: Pod,
  proposals: ReadonlyMap<string, ProposedVictims>,
  before: Advice,
  asking: Asking,
): Promise<Advice> {
  const advice: Writable = { ...before }
  let left = proposals
  for (const extender of extenders) {
    if (!extender.config.preemptVerb || left.size === 0) continue
    const answer = await attempt(extender, advice, asking, () => extender.preempt(pod, left, asking.signal))
    if (advice.fault) return advice
    if (!answer) continue
    advice.victims = answer
    left = narrowed(left, answer)
  }
  return advice
}

/** The proposals that are agreed to, with the victims that are. */
export function narrowed(proposals: ReadonlyMap<string, ProposedVictims>, approved: ApprovedVictims): Map<string, ProposedVictims> {
  const left = new Map<string, ProposedVictims>()
  for (const [node, { pods }] of proposals) {
    const agreed = approved.get(node)
    if (agreed) left.set(node, { pods: pods.filter(({ uid }) => agreed.uids.has(uid)), violations: agreed.violations })
  }
  return left
}

async function attempt<T>(extender: Extender, advice: Writable, { logger }: Asking, ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (error) {
    if (isAbort(error) || !extender.ignorable) advice.fault = errorStatus('', error, `extender ${extender.name}`)
    else logger.warn('an extender is passed over', { extender: extender.name, error: messageOf(error) })
    return null
  }
}
