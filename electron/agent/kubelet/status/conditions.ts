/** A pod's conditions. Source: kubernetes `kubelet/status/generate.go`. */
import type { ContainerStatus, Pod, PodCondition } from '../../../api/core/v1/types.gen.ts'
import { isSidecar } from '../../../api/core/v1/pod-spec/visit.ts'
import { formatTime } from '../../../api/values/time.ts'
import type { Phase, Statuses } from './phase.ts'

type Draft = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>

export interface ConditionInput {
  readonly pod: Pod
  readonly phase: Phase
  readonly statuses: Statuses
  readonly sandboxReady: boolean
  readonly previous: readonly PodCondition[]
  readonly now: number
  /** Further ones that this node knows of: a resize under way, a disruption. Those with status "" are taken away. */
  readonly more?: readonly Draft[]
}

/** Conditions that the kubelet answers for; others are left as they are. */
const OWN = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']

export function isOwnCondition(type: string): boolean {
  return OWN.includes(type)
}

export function conditionsOf(input: ConditionInput): PodCondition[] {
  const { pod, previous, now } = input
  const containersReady = containersReadyCondition(input)
  const drafts: Draft[] = [
    { type: 'PodReadyToStartContainers', status: input.sandboxReady ? 'True' : 'False' },
    initializedCondition(input),
    readyCondition(pod, containersReady, previous),
    containersReady,
    { type: 'PodScheduled', status: 'True' },
    ...(input.more ?? []).filter(({ status }) => status !== ''),
  ]
  const dropped = new Set((input.more ?? []).filter(({ status }) => status === '').map(({ type }) => type))
  const written = new Set([...OWN, ...drafts.map(({ type }) => type)])
  const kept = previous.filter(({ type }) => !written.has(type) && !dropped.has(type))
  return [...drafts.map((draft) => stamp(draft, pod, previous, now)), ...kept]
}

function stamp(draft: Draft, { metadata }: Pod, previous: readonly PodCondition[], now: number): PodCondition {
  const old = previous.find(({ type }) => type === draft.type)
  const lastTransitionTime = old?.status === draft.status && old.lastTransitionTime ? old.lastTransitionTime : formatTime(now)
  const observed = metadata.generation
  return {
    type: draft.type,
    status: draft.status,
    lastTransitionTime,
    ...(observed === undefined ? {} : { observedGeneration: observed }),
    ...(draft.reason ? { reason: draft.reason } : {}),
    ...(draft.message ? { message: draft.message } : {}),
  }
}

function containersReadyCondition({ pod, phase, statuses }: ConditionInput): Draft {
  const type = 'ContainersReady'
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' }
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar)
  const looked = [
    ...sidecars.map(({ name }) => ({ name, status: named(statuses.initContainers, name) })),
    ...pod.spec.containers.map(({ name }) => ({ name, status: named(statuses.containers, name) })),
  ]
  const unknown = looked.filter(({ status }) => !status).map(({ name }) => name)
  const unready = looked.filter(({ status }) => status && !status.ready).map(({ name }) => name)
  if (phase === 'Succeeded' && !unknown.length) return { type, status: 'False', reason: 'PodCompleted' }
  const message = describe([
    ['unknown', unknown],
    ['unready', unready],
  ])
  return message ? { type, status: 'False', reason: 'ContainersNotReady', message } : { type, status: 'True' }
}

function readyCondition(pod: Pod, containersReady: Draft, previous: readonly PodCondition[]): Draft {
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' }
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = [...(pod.status.conditions ?? []), ...previous].find(({ type }) => type === conditionType)
    if (!gate) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
    return gate.status === 'True' ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`]
  })
  if (!messages.length) return { type: 'Ready', status: 'True' }
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
}

function initializedCondition({ pod, phase, statuses }: ConditionInput): Draft {
  const type = 'Initialized'
  const begun = statuses.containers.some(({ state, lastState }) => state.running ?? state.terminated ?? lastState.terminated)
  const unknown: string[] = []
  const incomplete: string[] = []
  for (const container of pod.spec.initContainers ?? []) {
    const status = named(statuses.initContainers, container.name)
    if (!status) unknown.push(container.name)
    else if (isSidecar(container) ? !status.started && !begun : !status.ready) incomplete.push(container.name)
  }
  if (phase === 'Succeeded' && !unknown.length) return { type, status: 'True', reason: 'PodCompleted' }
  const message = describe([
    ['unknown', unknown],
    ['incomplete', begun ? [] : incomplete],
  ])
  return message ? { type, status: 'False', reason: 'ContainersNotInitialized', message } : { type, status: 'True' }
}

function describe(lists: readonly (readonly [what: string, names: readonly string[]])[]): string {
  return lists
    .filter(([, names]) => names.length)
    .map(([what, names]) => `containers with ${what} status: [${names.join(' ')}]`)
    .join(', ')
}

function named(statuses: readonly ContainerStatus[], name: string): ContainerStatus | undefined {
  return statuses.find((status) => status.name === name)
}
