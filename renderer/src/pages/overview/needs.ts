/** What needs the person: the troubled workloads, machines and rollouts, worst first, one line each. */
import type { Deployment } from '../../../../electron/api/apps/v1/types.gen.ts'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import type { RouteLocationRaw } from 'vue-router'
import { t, tn } from '../../i18n/index.ts'
import type { MachineRow } from '../../kube/machine-rows.ts'
import { podCause, type Cause } from '../../kube/pod-cause.ts'
import { podView } from '../../kube/pod-status.ts'
import { workloadAddress, workloadKey, type WorkloadRef } from '../../kube/owners.ts'
import { DEPLOYMENTS, MACHINES, PODS, fullName } from '../../kube/resources.ts'
import { TONE_RANK, type Tone } from '../../kube/tone.ts'
import { linkTo } from '../../router/links.ts'

export interface Need {
  readonly key: string
  readonly tone: Tone
  /** What it is about: "shop/checkout". */
  readonly subject: string
  readonly title: string
  readonly detail: string
  readonly to: RouteLocationRaw
  /** With a pod: its cause offers the ways out. */
  readonly pod?: Pod
  readonly cause?: Cause
  /** With a machine whose set-up stopped. */
  readonly machine?: string
}

interface Sources {
  readonly pods: readonly Pod[]
  readonly machines: readonly MachineRow[]
  readonly deployments: readonly Deployment[]
  readonly ownerOf: (pod: Pod) => WorkloadRef
  readonly now: number
}

export function needs(sources: Sources): Need[] {
  const fromPods = podNeeds(sources)
  const told = new Set(fromPods.map((need) => need.key))
  const all = [...sources.machines.flatMap(machineNeed), ...fromPods, ...sources.deployments.flatMap((d) => rolloutNeed(d, told))]
  return all.toSorted((a, b) => TONE_RANK[a.tone] - TONE_RANK[b.tone])
}

/** One need for each workload and reason, told of its worst pod. */
function podNeeds({ pods, ownerOf, now }: Sources): Need[] {
  const groups = new Map<string, { owner: WorkloadRef; pods: Pod[]; cause: Cause }>()
  const sizes = new Map<string, number>()
  for (const pod of pods) {
    const owner = ownerOf(pod)
    const key = workloadKey(owner)
    sizes.set(key, (sizes.get(key) ?? 0) + 1)
    const cause = podCause(pod, now)
    if (!cause) continue
    const group = groups.get(key)
    if (!group) groups.set(key, { owner, pods: [pod], cause })
    else {
      group.pods.push(pod)
      if (cause.tone === 'err' && group.cause.tone !== 'err') Object.assign(group, { cause, pods: [pod, ...group.pods] })
    }
  }
  return [...groups].flatMap(([key, { owner, pods: troubled, cause }]) => {
    const [pod] = troubled
    if (!pod) return []
    const view = podView(pod, now)
    const address = workloadAddress(owner)
    const scope = tn('needs.ofPods', sizes.get(key) ?? 1, { bad: troubled.length, word: view.word })
    return {
      key,
      tone: cause.tone,
      subject: fullName(owner),
      title: cause.title,
      detail: [scope, cause.text].filter(Boolean).join(' · '),
      to: troubled.length === 1 || !address ? linkTo({ resource: PODS, ...pod.metadata }) : linkTo(address),
      pod,
      cause,
    }
  })
}

function machineNeed(row: MachineRow): Need[] {
  const { machine, name, tone, word } = row
  if (tone !== 'err' && tone !== 'warn') return []
  const failure = machine?.status?.failure
  const conditions = row.node?.status.conditions ?? []
  const condition = conditions.find((c) => c.type === word) ?? conditions.find((c) => c.type === 'Ready')
  return [
    {
      key: `machine/${name}`,
      tone,
      subject: name,
      title: failure?.what ?? t('needs.machine', { word }),
      detail: failure
        ? [failure.why, failure.next].filter(Boolean).join(' ')
        : (machine?.status?.link?.lastError ?? condition?.message ?? ''),
      to: linkTo({ resource: MACHINES, name }),
      ...(word === 'Failed' ? { machine: name } : {}),
    },
  ]
}

/** A rollout that stopped, where its pods do not tell of it already. */
function rolloutNeed(deployment: Deployment, told: ReadonlySet<string>): Need[] {
  const { name, namespace = '' } = deployment.metadata
  const key = workloadKey({ kind: 'Deployment', namespace, name })
  const stuck = deployment.status?.conditions?.find(
    (c) => (c.type === 'Progressing' && c.status === 'False') || (c.type === 'ReplicaFailure' && c.status === 'True'),
  )
  if (!stuck || told.has(key)) return []
  return [
    {
      key,
      tone: 'err',
      subject: fullName(deployment.metadata),
      title: stuck.type === 'ReplicaFailure' ? t('needs.replicaFailure') : t('needs.stuck'),
      detail: stuck.message ?? '',
      to: linkTo({ resource: DEPLOYMENTS, name, namespace }),
    },
  ]
}
