/** The difference between the links that are and those that should be, as commands of ip(8) and bridge(8). */
import { formatCidr } from '../../../api/values/ip.ts'
import { BRIDGE, VXLAN, type LinkSeen, type Observed } from './observed.ts'
import type { LinkPlan } from './plan.ts'

export const VXLAN_ID = 77
export const VXLAN_PORT = 8472

export type Topic = 'bridge' | 'vxlan' | 'peers' | 'services'

export interface Step {
  readonly program: 'ip' | 'bridge'
  readonly command: string
  readonly topic: Topic
}

export interface ChangeOptions {
  /** Networks that something else on this machine holds: left alone. */
  readonly avoid: ReadonlySet<string>
  /** Whether netfilter can be made to see what the bridge forwards. */
  readonly filterBridge: boolean
}

/** In the order in which they must run; empty if all is as it should be. */
export function linkChanges(plan: LinkPlan, observed: Observed, options: ChangeOptions): Step[] {
  return [...bridgeChanges(plan, observed, options), ...vxlanChanges(plan, observed), ...peerChanges(plan, observed, options)]
}

const ip =
  (topic: Topic) =>
  (command: string): Step => ({ program: 'ip', command, topic })

function bridgeChanges(plan: LinkPlan, observed: Observed, { avoid, filterBridge }: ChangeOptions): Step[] {
  const { mac, address, prefix } = plan.bridge
  const step = ip('bridge')
  const steps: Step[] = []
  const present = observed.links.get(BRIDGE)
  const usable = present?.kind === 'bridge' ? present : null
  if (present && !usable) steps.push(step(`link del ${BRIDGE}`))
  if (!usable) steps.push(step(`link add ${BRIDGE} address ${mac} mtu ${plan.mtu} type bridge`))
  if (filterBridge && usable?.filtered !== true) steps.push(step(`link set ${BRIDGE} type bridge nf_call_iptables 1`))
  if (usable && usable.mac !== mac) steps.push(step(`link set ${BRIDGE} address ${mac}`))
  if (usable && usable.mtu !== plan.mtu) steps.push(step(`link set ${BRIDGE} mtu ${plan.mtu}`))
  steps.push(...addressChanges(observed, BRIDGE, `${address}/${prefix}`, 'bridge', usable !== null))
  if (!usable?.up) steps.push(step(`link set ${BRIDGE} up`))
  const to = plan.serviceCidr
  // Programs of this machine need a route before the packet can be sent on to an endpoint.
  const routed = observed.routes.some((route) => route.link === BRIDGE && route.to && formatCidr(route.to) === to)
  if (!avoid.has(to) && !(routed && usable?.up)) steps.push(ip('services')(`route replace ${to} dev ${BRIDGE}`))
  return steps
}

function vxlanChanges(plan: LinkPlan, observed: Observed): Step[] {
  const { mac, address, local } = plan.vxlan
  const step = ip('vxlan')
  const steps: Step[] = []
  const kept = usableVxlan(plan, observed)
  if (!kept) {
    if (observed.links.has(VXLAN)) steps.push(step(`link del ${VXLAN}`))
    const from = local === null ? '' : `local ${local} `
    const type = `type vxlan id ${VXLAN_ID} ${from}dstport ${VXLAN_PORT} nolearning`
    steps.push(step(`link add ${VXLAN} address ${mac} mtu ${plan.mtu} ${type}`))
  } else {
    if (kept.vxlan?.local !== local) steps.push(step(`link set ${VXLAN} type vxlan id ${VXLAN_ID} local ${local}`))
    if (kept.mac !== mac) steps.push(step(`link set ${VXLAN} address ${mac}`))
    if (kept.mtu !== plan.mtu) steps.push(step(`link set ${VXLAN} mtu ${plan.mtu}`))
  }
  steps.push(...addressChanges(observed, VXLAN, `${address}/32`, 'vxlan', kept !== null))
  if (!kept?.up) steps.push(step(`link set ${VXLAN} up`))
  return steps
}

/** The device, unless it is of a sort that cannot be changed into what is wanted. */
function usableVxlan({ vxlan: { local } }: LinkPlan, { links }: Observed): LinkSeen | null {
  const link = links.get(VXLAN)
  if (!link?.vxlan) return null
  const { id, port, learning, local: present } = link.vxlan
  const usable = id === VXLAN_ID && port === VXLAN_PORT && !learning && (local !== null || present === null)
  return usable ? link : null
}

function addressChanges({ addresses }: Observed, link: string, wanted: string, topic: Topic, kept: boolean): Step[] {
  const step = ip(topic)
  const present = kept ? addresses.filter((one) => one.link === link).map(({ address, prefix }) => `${address}/${prefix}`) : []
  const steps = present.filter((one) => one !== wanted).map((one) => step(`addr del ${one} dev ${link}`))
  if (!present.includes(wanted)) steps.push(step(`addr add ${wanted} dev ${link}`))
  return steps
}

function peerChanges(plan: LinkPlan, observed: Observed, { avoid }: ChangeOptions): Step[] {
  const step = ip('peers')
  const kept = usableVxlan(plan, observed) !== null
  const ours = kept ? observed.routes.filter(({ link, to }) => link === VXLAN && to) : []
  const routes = new Map(ours.map(({ to, gateway }) => [to ? formatCidr(to) : '', gateway]))
  const neighbours = kept ? observed.neighbours : new Map<string, string>()
  const forwarding = kept ? observed.forwarding : []
  const peers = [...plan.peers.values()].filter(({ podCidr }) => !avoid.has(podCidr))
  const wanted = {
    routes: new Set(peers.map(({ podCidr }) => podCidr)),
    neighbours: new Set(peers.map(({ address }) => address)),
    forwarding: new Map(peers.map(({ mac, endpoint }) => [mac, endpoint])),
  }
  const fdb = (command: string): Step => ({ program: 'bridge', command: `fdb ${command}`, topic: 'peers' })
  const isWanted = ({ mac, endpoint }: { mac: string; endpoint: string }) => wanted.forwarding.get(mac) === endpoint
  return [
    ...[...routes.keys()].filter((to) => !wanted.routes.has(to)).map((to) => step(`route del ${to} dev ${VXLAN}`)),
    ...[...neighbours.keys()].filter((to) => !wanted.neighbours.has(to)).map((to) => step(`neigh del ${to} dev ${VXLAN}`)),
    ...forwarding.filter((entry) => !isWanted(entry)).map(({ mac, endpoint }) => fdb(`del ${mac} dev ${VXLAN} dst ${endpoint}`)),
    ...peers.flatMap(({ podCidr, address, mac, endpoint }) => [
      ...(neighbours.get(address) === mac ? [] : [step(`neigh replace ${address} lladdr ${mac} dev ${VXLAN} nud permanent`)]),
      ...(forwarding.some((entry) => entry.mac === mac && isWanted(entry)) ? [] : [fdb(`replace ${mac} dev ${VXLAN} dst ${endpoint}`)]),
      ...(routes.get(podCidr) === address ? [] : [step(`route replace ${podCidr} via ${address} dev ${VXLAN} onlink`)]),
    ]),
  ]
}
