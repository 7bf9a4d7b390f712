/** Addresses that this machine already uses for something else. */
import { formatCidr, parseCidr, type Cidr } from '../../../api/values/ip.ts'
import type { AddressSeen, Observed, RouteSeen } from './observed.ts'
import { overlap, OWN_LINKS, type LinkPlan } from './plan.ts'

export interface Conflict {
  /** "10.244.1.0/24" */
  readonly network: string
  /** What it is for: "pods of this node". */
  readonly use: string
  /** What is in the way, by name: "10.244.0.0/16 on docker0". */
  readonly holder: string
  /** Whether it is this node's own pods' network. */
  readonly own: boolean
}

/**
 * A route or address of another link is in the way if it is as specific as ours or more; a VPN's route to all of 10.0.0.0/8 gives
 * way to ours.
 */
export function findConflicts(plan: LinkPlan, observed: Observed): Conflict[] {
  const wanted = [
    { network: plan.podCidr, use: 'pods of this node', own: true },
    ...[...plan.peers.values()].map(({ podCidr, name }) => ({ network: podCidr, use: `pods of node ${name}`, own: false })),
    { network: plan.serviceCidr, use: 'Services', own: false },
  ]
  const taken = [...observed.routes.flatMap(takenByRoute), ...observed.addresses.flatMap(takenByAddress)]
  return wanted.flatMap(({ network, use, own }): Conflict[] => {
    const cidr = parseCidr(network)
    const holder = cidr && taken.find((one) => one.cidr.prefix >= cidr.prefix && overlap(one.cidr, cidr))
    return holder ? [{ network, use, own, holder: `${formatCidr(holder.cidr)} on ${holder.link}` }] : []
  })
}

function takenByRoute({ to, link }: RouteSeen): { cidr: Cidr; link: string }[] {
  return to && !OWN_LINKS.has(link) ? [{ cidr: to, link }] : []
}

/** Our own addresses of Services are on `lo`. */
function takenByAddress({ address, link }: AddressSeen): { cidr: Cidr; link: string }[] {
  const cidr = parseCidr(`${address}/32`)
  return cidr && !OWN_LINKS.has(link) && link !== 'lo' ? [{ cidr, link }] : []
}
