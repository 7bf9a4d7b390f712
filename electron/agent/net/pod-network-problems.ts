/** What can be wrong with a node's links, in words. */
import type { FailedStep } from './links/batch.ts'
import { VXLAN_PORT, type Topic } from './links/changes.ts'
import type { Conflict } from './links/conflicts.ts'
import { BRIDGE, VXLAN } from './links/observed.ts'
import type { PlanFault } from './links/plan.ts'
import type { Problem } from './problem.ts'

export const TOPICS: readonly Topic[] = ['bridge', 'vxlan', 'peers', 'services']

export function noPodCidr(): Problem {
  const message = 'This node has no network for pods yet: the control plane has not given it one (spec.podCIDR of its Node).'
  return { reason: 'NoPodCIDR', message, blocking: true }
}

export function noBridgeFilter(): Problem {
  return {
    reason: 'NoBridgeFilter',
    message:
      'The kernel module br_netfilter is not there, so a Service that leads from a pod to another one of this node shows the node as its client. ' +
      'Load it with "modprobe br_netfilter" to let it see the pod.',
    blocking: false,
  }
}

export function conflictProblem(conflicts: readonly Conflict[]): Problem | null {
  if (!conflicts.length) return null
  const all = conflicts.map(({ network, use, holder }) => `${network} (${use}) overlaps ${holder}`).join('; ')
  return {
    reason: 'AddressConflict',
    message: `This machine already uses addresses of the cluster: ${all}. Take that link, route or VPN down, or give it other addresses.`,
    blocking: conflicts.some(({ own }) => own),
  }
}

export function faultProblem(faults: readonly PlanFault[]): Problem | null {
  if (!faults.length) return null
  const all = faults.map(({ node, other, podCidr }) => `${node} with ${podCidr} overlaps ${other}`).join('; ')
  return {
    reason: 'SamePodCIDR',
    message: `Nodes share a network for pods, so the newer one's pods are not reached: ${all}. Remove the newer machine and add it again.`,
    blocking: false,
  }
}

export function firewalldProblem(): Problem {
  return {
    reason: 'Firewalld',
    message:
      'firewalld runs on this machine and may reject what pods send. ' +
      `Let it trust them: firewall-cmd --permanent --zone=trusted --add-interface=${BRIDGE} --add-interface=${VXLAN}; firewall-cmd --permanent --add-port=${VXLAN_PORT}/udp; firewall-cmd --reload.`,
    blocking: false,
  }
}

export function stepProblem({ step: { topic, program, command }, error }: FailedStep): Problem {
  const said = `"${program} ${command}" said: ${error}`
  switch (topic) {
    case 'bridge':
      return { reason: 'BridgeFailed', message: `The bridge ${BRIDGE} of this node's pods could not be set up: ${said}.`, blocking: true }
    case 'vxlan':
      return vxlanProblem(error, said)
    case 'peers':
      return { reason: 'RouteFailed', message: `The way to the pods of another node could not be set up: ${said}.`, blocking: false }
    case 'services':
      return { reason: 'ServiceAddressFailed', message: `An address of Services could not be set up: ${said}.`, blocking: false }
  }
}

function vxlanProblem(error: string, said: string): Problem {
  const problem = (reason: string, message: string) => ({ reason, message, blocking: false })
  if (/already in use/i.test(error)) {
    return problem(
      'VxlanPortInUse',
      `vxlan port in use: another program of this machine holds UDP port ${VXLAN_PORT}, so pods of other nodes cannot be reached. Find it with "ss -ulnp sport = ${VXLAN_PORT}" and stop it.`,
    )
  }
  if (/Unknown device type|not supported/i.test(error)) {
    return problem(
      'NoVxlan',
      `This machine's kernel has no VXLAN, so pods of other nodes cannot be reached: ${said}. Load the module with "modprobe vxlan".`,
    )
  }
  return problem('VxlanFailed', `The tunnel ${VXLAN} to other nodes could not be set up: ${said}.`)
}
