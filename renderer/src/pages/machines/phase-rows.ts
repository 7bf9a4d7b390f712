/** A machine's steps as phases with their times, and its failure as a person is told. */
import type { Machine, MachineStep } from '../../../../electron/api/infra/v1alpha1/types.ts'
import type { Failure } from '../../face/failure.ts'
import { t } from '../../i18n/index.ts'
import type { Tone } from '../../kube/tone.ts'
import { elapsed, instant } from '../../time/format.ts'
import type { PhaseRow } from '../../ui/phases.ts'

const TONES: Readonly<Record<MachineStep['state'], Tone>> = { waiting: 'idle', running: 'busy', done: 'ok', failed: 'err' }

export function phaseRows(machine: Machine, now: number): PhaseRow[] {
  return (machine.status?.steps ?? []).map((step) => ({
    name: step.name,
    title: step.title,
    tone: TONES[step.state],
    detail: step.detail,
    time: timeOf(step, now),
  }))
}

function timeOf(step: MachineStep, now: number): string {
  const began = instant(step.startedAt)
  if (step.state === 'waiting' || began === null) return step.state === 'waiting' ? t('phases.waiting') : ''
  return elapsed((instant(step.finishedAt) ?? now) - began)
}

/** "step 5 of 8, 53.1 s so far" */
export function phasesSub(machine: Machine, now: number): string {
  const steps = machine.status?.steps ?? []
  if (steps.length === 0) return t('phases.soon')
  const done = steps.filter((step) => step.state === 'done').length
  const began = Math.min(...steps.map((step) => instant(step.startedAt) ?? Number.POSITIVE_INFINITY))
  const ends = steps.map((step) => instant(step.finishedAt) ?? 0)
  const running = steps.some((step) => step.state === 'running')
  const until = running ? now : Math.max(...ends)
  const time = Number.isFinite(began) ? elapsed(until - began) : ''
  if (done === steps.length) return t('phases.all', { n: done, time })
  return t(running ? 'phases.running' : 'phases.stopped', { n: Math.min(done + 1, steps.length), total: steps.length, time })
}

export function machineFailure(machine: Machine): Failure | null {
  const failure = machine.status?.phase === 'Failed' ? machine.status.failure : undefined
  return failure ? { code: failure.code, what: failure.what, why: failure.why, next: failure.next } : null
}
