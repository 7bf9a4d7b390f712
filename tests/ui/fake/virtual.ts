/** Stands for QEMU: a computer without hardware virtualization, and machines that follow what their object says. */
import { systemClock } from '../../../electron/base/clock.ts'
import type { Machine, MachineStatus } from '../../../electron/api/infra/v1alpha1/types.ts'
import type { Client } from '../../../electron/client/client.ts'
import type { Channels } from '../../../electron/contracts/channels.ts'
import type { Handlers } from '../../../electron/contracts/server.ts'
import { MACHINE } from './cluster.ts'

type VirtualHandlers = Pick<Handlers<Channels>, Extract<keyof Channels, `vm.${string}`>>

const GIB = 2 ** 30
export const SERIAL_LOG = '\u001B[0;1;39mDebian GNU/Linux 12 node-9 ttyS0\u001B[0m\r\n\r\nnode-9 login: root (automatic login)\r\n'

/** `setUp`: the fake provisioner's way of a machine to a node. */
export function virtualHandlers(client: Client, setUp: (name: string) => void): VirtualHandlers {
  const done = () => Promise.resolve({})
  return {
    'vm.support': () => Promise.resolve({ accelerator: 'tcg', imageReady: false, cpus: 4, memoryBytes: 16 * GIB, diskBytes: 64 * GIB }),
    async 'vm.add'({ name = 'node-9', cpus = 2, memoryBytes = 2 * GIB, diskBytes = 20 * GIB }) {
      await client.create(MACHINE, { metadata: { name }, spec: { provider: 'qemu', qemu: { cpus, memoryBytes, diskBytes, power: 'On' } } })
      setUp(name)
      return { name }
    },
    'vm.reboot': done,
    'vm.log': () => Promise.resolve({ text: SERIAL_LOG }),
    async 'vm.console'(_arg, duplex) {
      for await (const { bytes } of duplex) if (bytes) await duplex.send({ type: 'stdout' }, bytes)
    },
    'vm.disk': () => Promise.resolve({ usedBytes: GIB, snapshots: [] }),
    'vm.snapshot': done,
    'vm.restore': done,
    'vm.deleteSnapshot': done,
    'vm.compact': () => Promise.resolve({ before: 2 * GIB, after: GIB }),
  }
}

/** Lets a machine be as its object wants it, as QEMU would. */
export async function settlePower(client: Client, name: string): Promise<void> {
  const machine: Machine = await client.get(MACHINE, { name })
  const { qemu } = machine.spec
  if (!qemu) throw new Error(`${name} is no virtual machine`)
  const phase = qemu.power === 'On' ? 'Ready' : qemu.power === 'Off' ? 'Stopped' : 'Suspended'
  const since = `${new Date(systemClock.now()).toISOString().slice(0, 19)}Z`
  const status: MachineStatus = {
    ...machine.status,
    phase,
    link: { connected: phase === 'Ready', since },
    qemu: { accelerator: 'tcg', cpus: qemu.cpus, memoryBytes: qemu.memoryBytes },
  }
  await client.update(MACHINE, { ...machine, status }, { subresource: 'status' })
}
