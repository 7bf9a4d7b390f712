import { t, tn } from '../../i18n/index.ts'
import { isLocal, type MachineRow } from '../../kube/machine-rows.ts'
import { amount } from '../../kube/quantity.ts'

/** A few words beside a machine's name: how far its set-up is, or what it is. */
export function machineNote(row: MachineRow): string {
  const steps = row.machine?.status?.steps ?? []
  const phase = row.machine?.status?.phase
  if (steps.length && (phase === 'Provisioning' || phase === 'Failed'))
    return t(phase === 'Failed' ? 'machines.stoppedAt' : 'machines.step', {
      n: Math.min(steps.filter((step) => step.state === 'done').length + 1, steps.length),
      total: steps.length,
    })
  const parts = [
    isLocal(row) ? t('machines.thisComputer') : (row.node?.status.nodeInfo?.architecture ?? row.machine?.status?.architecture ?? ''),
  ]
  const cpu = amount(row.node?.status.capacity?.['cpu'])
  if (cpu) parts.push(tn('machines.cores', cpu))
  return parts.filter(Boolean).join(', ')
}
