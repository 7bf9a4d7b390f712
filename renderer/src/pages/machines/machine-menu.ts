/** What can be done with a machine, as menu entries. */
import { useRouter } from 'vue-router'
import type { VirtualMachineSpec } from '../../../../electron/api/infra/v1alpha1/types.ts'
import { setCordoned } from '../../actions/nodes.ts'
import { setPower } from '../../actions/virtual-machines.ts'
import { t } from '../../i18n/index.ts'
import type { MachineRow } from '../../kube/machine-rows.ts'
import { MACHINES } from '../../kube/resources.ts'
import { linkTo } from '../../router/links.ts'
import { useActions } from '../../stores/actions.ts'
import { useDock } from '../../stores/dock.ts'
import { useFrame } from '../../stores/frame.ts'
import type { MenuEntry } from '../../ui/menu.ts'

export function useMachineActions() {
  const router = useRouter()
  const actions = useActions()
  const dock = useDock()
  const frame = useFrame()

  const open = (row: MachineRow) => void router.push(linkTo({ resource: MACHINES, name: row.name }))
  const shell = (row: MachineRow) => dock.add(t('dock.machine', { name: row.name }), { type: 'machine', name: row.name })
  const cordon = (row: MachineRow) => void actions.run(setCordoned(row.name, !row.cordoned))

  const power = (row: MachineRow, wanted: VirtualMachineSpec['power']) => void actions.run(setPower(row.name, wanted))
  /** What a virtual machine can be told to do now. */
  const powerChoices = ({ machine }: MachineRow) => {
    const { spec, status } = machine ?? {}
    if (!spec?.qemu || machine?.metadata.deletionTimestamp) return []
    const start = { power: 'On' as const, icon: 'play' as const, text: t(spec.qemu.power === 'Suspended' ? 'vm.resume' : 'vm.start') }
    const suspend = { power: 'Suspended' as const, icon: 'pause' as const, text: t('vm.suspend') }
    const off = { power: 'Off' as const, icon: 'close' as const, text: t('vm.shutDown') }
    if (spec.qemu.power !== 'On') return [start]
    return status?.phase === 'Ready' || status?.phase === 'Unreachable' ? [suspend, off] : []
  }

  const menu = (row: MachineRow): MenuEntry[] => [
    ...powerChoices(row).map((choice) => ({ text: choice.text, icon: choice.icon, select: () => power(row, choice.power) })),
    ...(row.machine ? [{ text: t('machines.shell'), icon: 'terminal' as const, keys: ['S'], select: () => shell(row) }] : []),
    ...(row.machine && row.word !== 'Ready' && row.machine.status?.steps?.length
      ? [{ text: t('machines.setup'), icon: 'retry' as const, select: () => frame.openMachine(row.name) }]
      : []),
    ...(row.node
      ? [
          {
            text: t(row.cordoned ? 'machines.uncordon' : 'machines.cordon'),
            icon: row.cordoned ? ('unlock' as const) : ('lock' as const),
            select: () => cordon(row),
          },
          { text: t('machines.drain'), icon: 'drain' as const, select: () => void (frame.drainNode = row.name) },
        ]
      : []),
    ...(row.machine
      ? [
          'line' as const,
          { text: t('machines.removeEntry'), icon: 'trash' as const, danger: true, select: () => void (frame.removeMachine = row.name) },
        ]
      : []),
  ]
  return { open, shell, cordon, menu, power, powerChoices }
}
