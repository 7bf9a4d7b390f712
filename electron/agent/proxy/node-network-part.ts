/** Pods' network, Services and their names on this node: one state of the cluster, one nftables table. */
import { component, startIn } from '../../base/lifecycle.ts'
import type { AgentPart } from '../agent.ts'
import { createClusterDns } from '../dns/cluster-dns.ts'
import { systemCommands as commands } from '../net/commands.ts'
import { createNftTable } from '../net/nft/table.ts'
import { createNodeCondition } from '../net/node-condition.ts'
import { createPodNetwork, POD_RULES } from '../net/pod-network.ts'
import { joinProblems } from '../net/problem.ts'
import { createClusterState } from '../net/state/cluster-state.ts'
import { createServiceProxy, SERVICE_RULES } from './service-proxy.ts'

/** Disposing leaves links and rules as they are: pods go on, `removeNetwork` takes them away. */
export const nodeNetworkPart: AgentPart = ({ config, client, informers, clock, random, logger: all }) =>
  component(async (stack, signal) => {
    const logger = all.child({ part: 'network' })
    const { nodeName, stateDir } = config
    const state = await startIn(stack, createClusterState({ informers, clock, logger, random, stateDir }), signal)
    const table = await startIn(stack, createNftTable({ commands, clock, logger, parts: [POD_RULES, SERVICE_RULES] }), signal)
    const shared = { config, state, table, clock, logger }
    const proxy = await startIn(stack, createServiceProxy(shared), signal)
    const pods = await startIn(stack, createPodNetwork({ ...shared, commands, random }), signal)
    const dns = await startIn(stack, createClusterDns({ config, state, clock, random, logger }), signal)
    const problems = stack.use(joinProblems([pods, table, proxy, dns]))
    await startIn(stack, createNodeCondition({ nodeName, problems, client, informers, clock, logger }), signal)
  })
