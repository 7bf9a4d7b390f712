/** Virtual machines: what they are to do is written in their Machine. */
import type { VirtualMachineSpec } from '../../../electron/api/infra/v1alpha1/types.ts'
import { t } from '../i18n/index.ts'
import { FIELD_MANAGER, MERGE_PATCH, pathTo } from '../kube/api.ts'
import { MACHINES } from '../kube/resources.ts'
import type { Plan } from './plan.ts'

export function setPower(name: string, power: VirtualMachineSpec['power']): Plan {
  const body = { spec: { qemu: { power } } }
  const word = power === 'On' ? 'on' : power === 'Off' ? 'off' : 'suspend'
  return {
    done: t(`vm.${word}.done`, { name }),
    failed: t(`vm.${word}.failed`, { name }),
    steps: [
      {
        call: {
          method: 'PATCH',
          path: pathTo({ resource: MACHINES, name }),
          query: { fieldManager: FIELD_MANAGER },
          contentType: MERGE_PATCH,
          body,
        },
        kubectl: `kubectl patch machine ${name} --type merge -p '${JSON.stringify(body)}'`,
      },
    ],
  }
}
