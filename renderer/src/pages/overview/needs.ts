/** What needs the person: the troubled workloads, machines and rollouts, worst first, one line each. */
import type { Deployment } from '../../../../electron/api/apps/v1/types.gen.ts'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import type { RouteLocationRaw } from 'vue-router'
import { t, tn } from '../../i18n/index.ts'
import type { MachineRow } from '../../kube/machine-rows.ts'
import { podCause, type Cause } from '../../kube/pod-cause.ts'
import { podView } from '../../kube/pod-status.ts'
import { workloadAddress, workloadKey } from '../../kube/owners.ts'
import { DEPLOYMENTS, MACHINES, PODS, fullName } from '../../kube/resources.ts'
import { isTrouble, TONE_RANK, type Tone } from '../../kube/tone.ts'
import type { PodSummary } from '../../stores/pod-summary.ts'
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
  readonly owners: PodSummary['owners']
  readonly machines: readonly MachineRow[]
  readonly deployments: readonly Deployment[]
  readonly now: number
}

export function needs(sources: Sources): Need[] {
  const fromPods = podNeeds(sources)
  const told = new Set(fromPods.map((need) => need.key))
  const all = [...sources.machines.flatMap(machineNeed), ...fromPods, ...sources.deployments.flatMap((d) => rolloutNeed(d, told))]
  return all.toSorted((a, b) => TONE_RANK[a.tone] - TONE_RANK[b.tone])
}

/** One need for each workload in trouble, told of its worst pod. */
function podNeeds({ owners, now }: Sources): Need[] {
  return owners.flatMap(({ owner, looks, worst }) => {
    const pod = worst as Pod | undefined
    const cause = pod && podCause(pod, now)
    if (!pod || !cause) return []
    const address = workloadAddress(owner)
    const size = looks.reduce((n, look) => n + look.n, 0)
    const bad = looks.reduce((n, look) => n + (isTrouble(look.tone) ? look.n : 0), 0)
    const scope = tn('needs.ofPods', size, { bad, word: podView(pod, now).word })
    return {
      key: workloadKey(owner),
      tone: cause.tone,
      subject: fullName(owner),
      title: cause.title,
      detail: [scope, cause.text].filter(Boolean).join(' · '),
      to: bad === 1 || !address ? linkTo({ resource: PODS, ...pod.metadata }) : linkTo(address),
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
