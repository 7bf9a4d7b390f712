/** What applying a manifest will do to the cluster, in sentences, from what the API server answered to a dry run. */
import type { Container } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Deployment } from '../../../../electron/api/apps/v1/types.gen.ts'
import { t, tn } from '../../i18n/index.ts'
import type { Capacity } from '../../kube/capacity.ts'
import { podRequests } from '../../kube/pod-status.ts'
import { bytes, cores } from '../../kube/quantity.ts'
import type { Tone } from '../../kube/tone.ts'
import type { Outcome } from './apply.ts'

export interface Happening {
  readonly tone: Tone
  readonly lead: string
  readonly text: string
}

export function happenings(outcomes: readonly Outcome[], capacity: Capacity, machines: number): Happening[] {
  const fine = outcomes.filter((outcome) => !outcome.failure)
  const by = (effect: Outcome['effect']) => fine.filter((outcome) => outcome.effect === effect)
  const list: Happening[] = []
  const made = by('made')
  if (made.length) list.push({ tone: 'ok', lead: tn('happen.made', made.length), text: kinds(made) })
  for (const outcome of by('changed'))
    list.push({ tone: 'ok', lead: t('happen.changed', { what: outcome.title }), text: changesOf(outcome).join(', ') })
  const same = by('same')
  if (same.length) list.push({ tone: 'idle', lead: tn('happen.same', same.length), text: kinds(same) })
  for (const outcome of fine) list.push(...podsOf(outcome, capacity, machines))
  for (const outcome of outcomes) for (const warning of outcome.warnings) list.push({ tone: 'warn', lead: outcome.title, text: warning })
  return list
}

const kinds = (outcomes: readonly Outcome[]) => outcomes.map((outcome) => outcome.title).join(', ')

const WORKLOADS = new Set(['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet'])
const asWorkload = (object: Outcome['after']): Deployment | null => (object && WORKLOADS.has(object.kind) ? (object as Deployment) : null)

function podsOf({ before, after, effect }: Outcome, capacity: Capacity, machines: number): Happening[] {
  const now = asWorkload(after)
  const then = asWorkload(before)
  if (!now || effect === 'same') return []
  const wanted = now.kind === 'DaemonSet' ? machines : (now.spec.replicas ?? 1)
  const list: Happening[] = []
  if (!then) list.push({ tone: 'ok', lead: tn('happen.pods', wanted), text: now.kind === 'DaemonSet' ? t('happen.each') : '' })
  else {
    const had = then.kind === 'DaemonSet' ? machines : (then.spec.replicas ?? 1)
    const replaced = JSON.stringify(then.spec.template.spec) !== JSON.stringify(now.spec.template.spec)
    if (replaced && had) list.push({ tone: 'warn', lead: tn('happen.replaced', Math.min(had, wanted)), text: t('happen.rolling') })
    if (wanted > had) list.push({ tone: 'ok', lead: tn('happen.more', wanted - had), text: '' })
    if (wanted < had) list.push({ tone: 'warn', lead: tn('happen.fewer', had - wanted), text: '' })
    if (!replaced && wanted === had) list.push({ tone: 'ok', lead: t('happen.noRestart'), text: '' })
  }
  return [...list, ...fitOf(now, wanted, capacity)]
}

/** Whether a pod finds room: no machine has to have more free than one pod asks for, and together they must have enough. */
function fitOf(workload: Deployment, wanted: number, capacity: Capacity): Happening[] {
  const asked = podRequests({ ...workload, kind: 'Pod', spec: workload.spec.template.spec, status: {} })
  if (wanted === 0 || (asked.cpu === 0 && asked.memory === 0)) return []
  if (capacity.total.pods === 0) return [{ tone: 'warn', lead: t('happen.noMachine'), text: t('happen.waits') }]
  const { mostFree, total, requested } = capacity
  if (asked.memory > mostFree.memory)
    return [
      {
        tone: 'warn',
        lead: t('happen.noRoom', { asks: bytes(asked.memory) }),
        text: t('happen.mostFree', { free: bytes(Math.max(0, mostFree.memory)) }),
      },
    ]
  if (asked.cpu > mostFree.cpu)
    return [
      {
        tone: 'warn',
        lead: t('happen.noRoomCpu', { asks: cores(asked.cpu) }),
        text: t('happen.mostFree', { free: cores(Math.max(0, mostFree.cpu)) }),
      },
    ]
  const left = { cpu: total.cpu - requested.cpu, memory: total.memory - requested.memory }
  if (asked.cpu * wanted > left.cpu || asked.memory * wanted > left.memory)
    return [{ tone: 'warn', lead: t('happen.notAll'), text: t('happen.left', { cpu: cores(left.cpu), memory: bytes(left.memory) }) }]
  return [
    {
      tone: 'ok',
      lead: t('happen.fits'),
      text: t('happen.asks', { cpu: cores(asked.cpu * wanted), memory: bytes(asked.memory * wanted) }),
    },
  ]
}

/** The few changes that people ask for by name; of others only how many there are. */
export function changesOf({ before, after }: Outcome): string[] {
  const now = asWorkload(after)
  const then = asWorkload(before)
  if (!now || !then) return []
  const list: string[] = []
  if (now.spec.replicas !== then.spec.replicas)
    list.push(t('happen.change.replicas', { from: then.spec.replicas ?? 1, to: now.spec.replicas ?? 1 }))
  const containers = (w: Deployment) => new Map(w.spec.template.spec.containers.map((c) => [c.name, c]))
  const olds = containers(then)
  for (const [name, container] of containers(now)) list.push(...containerChanges(name, olds.get(name), container))
  return list
}

function containerChanges(name: string, old: Container | undefined, now: Container): string[] {
  if (!old) return [t('happen.change.container', { name })]
  const list: string[] = []
  if (old.image !== now.image) list.push(t('happen.change.image', { from: old.image ?? '', to: now.image ?? '' }))
  if (JSON.stringify(old.env) !== JSON.stringify(now.env)) list.push(t('happen.change.env', { name }))
  if (JSON.stringify(old.resources) !== JSON.stringify(now.resources)) list.push(t('happen.change.resources', { name }))
  return list
}
