/** The machines that the app makes on this computer by itself, asked for over the contract as any client would. */
import type { Machine } from '../api/infra/v1alpha1/types.ts'
import type { Caller } from '../contracts/caller.ts'
import type { Channels } from '../contracts/channels.ts'

export async function listMachines(caller: Caller<Channels>): Promise<Machine[]> {
  const { body } = await caller.call('kube.request', { method: 'GET', path: '/apis/infra.flotilla.dev/v1alpha1/machines' })
  return (body as { items: Machine[] }).items
}

/** Makes as many sandbox machines as are missing, and tries those again that failed; returns the names of all. */
export async function ensureSandboxes(caller: Caller<Channels>, wanted: number): Promise<string[]> {
  const present = (await listMachines(caller)).filter((m) => m.spec.provider === 'sandbox' && !m.metadata.deletionTimestamp)
  for (const machine of present) if (machine.status.phase === 'Failed') await caller.call('machines.retry', { name: machine.metadata.name })
  const names = present.map((machine) => machine.metadata.name)
  while (names.length < wanted) names.push((await caller.call('machines.addSandbox', {})).name)
  return names
}
