/**
 * The network of this node's pods: bridge, tunnel to the other nodes, routes, rules, and the CNI configuration. Kept from Node objects
 * and by looking at the machine, so that it makes no difference how it came to be as it is.
 */
import { Mutex } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { component, type Component, componentWith } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import { Backoff } from '../../machinery/backoff.ts'
import { writeCniConfig } from './cni-config.ts'
import type { Commands } from './commands.ts'
import { findForeignFilters, openForeignFilters } from './foreign-filters.ts'
import { prepareKernel, type KernelSettings } from './kernel-settings.ts'
import { runSteps, type FailedStep } from './links/batch.ts'
import { linkChanges, type Step } from './links/changes.ts'
import { findConflicts } from './links/conflicts.ts'
import { BRIDGE, observe, type Observed } from './links/observed.ts'
import { planLinks, type LinkPlan } from './links/plan.ts'
import type { NftTable } from './nft/table.ts'
import { conflictProblem, faultProblem, firewalldProblem, noBridgeFilter, noPodCidr, stepProblem, TOPICS } from './pod-network-problems.ts'
import { podRules } from './pod-rules.ts'
import { Problems, type Problem, type ProblemSource } from './problem.ts'
import { serviceAddressChanges } from './service-addresses.ts'
import type { ClusterState } from './state/cluster-state.ts'

export interface PodNetworkDeps {
  readonly config: AgentConfig
  readonly state: ClusterState
  readonly table: NftTable
  readonly commands: Commands
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
}

export interface PodNetwork extends Component, ProblemSource {
  /** Looks at the machine and puts right what differs. */
  refresh(): Promise<void>
}

/** The part of the nftables table that this sets. */
export const POD_RULES = 'pods'

/** Milliseconds between looks at the machine. */
const LOOK = 60_000
/** Nodes that come at once are taken together. */
const GATHER = 20
const RETRY = { initial: 1000, max: 30_000 }
/** What one round changes may show more to be done. */
const ROUNDS = 3

/** `start` waits for the first look, not for the API server. Disposing leaves the network as it is. */
export function createPodNetwork(deps: PodNetworkDeps): PodNetwork {
  const { config, state, table, commands, clock, logger, random } = deps
  const problems = new Problems(logger)
  const order = new Mutex()
  const backoff = new Backoff(RETRY)
  let kernel: KernelSettings = { forwarding: null, bridgeFilter: false }
  let timer: (Disposable & { readonly due: number }) | null = null
  let running = false

  const schedule = (delay: number) => {
    const due = clock.monotonic() + delay
    if (!running || (timer && timer.due <= due)) return
    unschedule()
    timer = { due, ...clock.setTimeout(() => void refresh(), delay, { unref: true }) }
  }
  const unschedule = () => {
    timer?.[Symbol.dispose]()
    timer = null
  }

  const refresh = () =>
    order.run(async () => {
      unschedule()
      try {
        kernel = await prepareKernel(commands)
        problems.set('forwarding', kernel.forwarding)
        problems.set('bridge filter', kernel.bridgeFilter ? null : noBridgeFilter())
        const clean = await syncLinks()
        await syncFilters()
        problems.set('machine', null)
        // What others must put right is looked for sooner than by itself.
        if (clean && !problems.problems.some(({ blocking }) => blocking)) backoff.reset()
        else schedule(backoff.next())
      } catch (error) {
        const message = `The links of this machine could not be read or changed: ${messageOf(error)}. It is tried again by itself.`
        problems.set('machine', { reason: 'NetworkSetupFailed', message, blocking: true })
        schedule(backoff.next())
      }
    })

  /** False if something failed that another attempt may mend. */
  const syncLinks = async (): Promise<boolean> => {
    let failed: FailedStep[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const observed = await observe(commands)
      const { plan, steps } = look(observed)
      if (round === 0) setRules(plan)
      if (steps.length === 0) {
        if (plan) await configure(plan)
        return tellFailures([])
      }
      logger.debug('changing links', { steps: steps.map(({ program, command }) => `${program} ${command}`) })
      failed = await runSteps(commands, steps)
      if (failed.length) {
        if (plan && !failed.some(({ step }) => step.topic === 'bridge')) await configure(plan)
        break
      }
    }
    return tellFailures(failed)
  }

  const look = (observed: Observed): { plan: LinkPlan | null; steps: Step[] } => {
    const { nodeName, nodeIP, serviceCIDR } = config
    const { plan, faults } = planLinks({ nodeName, nodeIP, serviceCIDR, nodes: state.nodes.values(), observed })
    const addresses = serviceAddressChanges(config, observed)
    // Before anything is known of the cluster nothing is missing.
    problems.set('pod network', plan || !state.known ? null : noPodCidr())
    problems.set('nodes', faultProblem(faults))
    const conflicts = plan ? findConflicts(plan, observed) : []
    problems.set('conflicts', conflictProblem(conflicts))
    if (!plan) return { plan, steps: addresses }
    // Once pods live in it the network stays, whoever else claims it.
    const settled = observed.addresses.some(({ link, address }) => link === BRIDGE && address === plan.bridge.address)
    if (conflicts.some(({ own }) => own) && !settled) return { plan: null, steps: addresses }
    const avoid = new Set(conflicts.filter(({ own }) => !own).map(({ network }) => network))
    return { plan, steps: [...addresses, ...linkChanges(plan, observed, { avoid, filterBridge: kernel.bridgeFilter })] }
  }

  const setRules = (plan: LinkPlan | null) => {
    const { clusterCIDR, apiVip, dnsVip } = config
    const rules = podRules({ clusterCIDR, apiVip, dnsVip, plan, bridgeFilter: kernel.bridgeFilter })
    table.set(POD_RULES, () => rules)
  }

  const configure = async (plan: LinkPlan) => {
    if (!kernel.forwarding) await writeCniConfig(config, plan, random)
  }

  const tellFailures = (failed: readonly FailedStep[]): boolean => {
    for (const topic of TOPICS) {
      const first = failed.find(({ step }) => step.topic === topic)
      problems.set(topic, first ? stepProblem(first) : null)
    }
    return failed.length === 0
  }

  const syncFilters = async () => {
    const { dropping, firewalld } = await findForeignFilters(commands)
    problems.set('firewalld', firewalld ? firewalldProblem() : null)
    const opened = await openForeignFilters(commands, dropping)
    if (opened.length) logger.info('let pods through filters of others', { chains: opened.map(({ table: of, chain }) => `${of} ${chain}`) })
  }

  const base = component(async (stack) => {
    running = true
    stack.defer(async () => {
      running = false
      unschedule()
      await order.run(() => undefined)
    })
    stack.use(state.changed.on(({ nodes }) => nodes && schedule(GATHER)))
    stack.use(clock.setInterval(() => void refresh(), LOOK, { unref: true }))
    await refresh()
  })

  return componentWith(base, {
    refresh,
    get problems(): readonly Problem[] {
      return problems.problems
    },
    problemsChanged: problems.problemsChanged,
  })
}
