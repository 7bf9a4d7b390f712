/** The machines that the app makes on this computer by itself, asked for over the contract as any client would. */
import type { Machine } from '../api/infra/v1alpha1/types.ts'
import type { Caller } from '../contracts/caller.ts'
import type { Channels } from '../contracts/channels.ts'

export async function listMachines(caller: Caller<Channels>): Promise<Machine[]> {
  const { body } = await caller.call('kube.request', { method: 'GET', path: '/apis/infra.flotilla.dev/v1alpha1/machines' })
  return (body as { items: Machine[] }).items
}

/**
 * Makes as many machines of a provider as are missing, tries those again that failed, and starts virtual ones that are off; returns the
 * names of all. `sizes`: of virtual machines that are made.
 */
export async function ensureLocal(
  caller: Caller<Channels>,
  wanted: number,
  provider: 'sandbox' | 'qemu',
  sizes: { cpus?: number; memoryBytes?: number; diskBytes?: number } = {},
): Promise<string[]> {
  const present = (await listMachines(caller)).filter((m) => m.spec.provider === provider && !m.metadata.deletionTimestamp)
  for (const { metadata, spec } of present)
    if (spec.qemu && spec.qemu.power !== 'On')
      await caller.call('kube.request', {
        method: 'PATCH',
        path: `/apis/infra.flotilla.dev/v1alpha1/machines/${metadata.name}`,
        contentType: 'application/merge-patch+json',
        body: { spec: { qemu: { power: 'On' } } },
      })
  for (const machine of present) if (machine.status.phase === 'Failed') await caller.call('machines.retry', { name: machine.metadata.name })
  const names = present.map((machine) => machine.metadata.name)
  while (names.length < wanted)
    names.push((await (provider === 'qemu' ? caller.call('vm.add', sizes) : caller.call('machines.addSandbox', {}))).name)
  return names
}

export async function ensureSandboxes(caller: Caller<Channels>, wanted: number): Promise<string[]> {
  return await ensureLocal(caller, wanted, 'sandbox')
}
