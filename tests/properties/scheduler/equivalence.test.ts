import { describe, expect, test } from 'vitest'
import { prepareNewPod } from '../../../electron/api/core/v1/pod-spec/lifecycle.ts'
import type { Node, Pod } from '../../../electron/api/core/v1/types.gen.ts'
import { NodeSearch } from '../../../electron/scheduler/cycle/node-search.ts'
import { place } from '../../../electron/scheduler/cycle/placement.ts'
import { whatIf } from '../../../electron/scheduler/cycle/what-if.ts'
import { bestCandidate, candidate } from '../../../electron/scheduler/plugins/default-preemption/ranks.ts'
import { PLUGINS } from '../../../electron/scheduler/plugins/list.ts'
import { PodInfo } from '../../../electron/scheduler/snapshot/pod-info.ts'
import { pluginWorld, type PluginWorld } from '../../../electron/scheduler/testing/plugin-world.ts'
import { dice, type Dice } from './dice.ts'
import { randomNode, randomWorld, type World } from './random-cluster.ts'
import { GPU, podFrom } from './random-pods.ts'
import { feasible } from './reference/filters.ts'
import { badness, compare, displacement } from './reference/preemption.ts'
import { scoresBy, type Strategy } from './reference/scores.ts'

const CLUSTERS = 2000
/** After all pods have started. */
const NOW = Date.parse('2026-01-01T01:00:00Z')
const STEPS = 6
const BASIC = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
]
const STRATEGIES: readonly Strategy[] = [
  { type: 'LeastAllocated', resources: BASIC },
  { type: 'LeastAllocated', resources: [...BASIC, { name: GPU, weight: 5 }, { name: 'ephemeral-storage', weight: 2 }] },
  {
    type: 'MostAllocated',
    resources: [
      { name: 'cpu', weight: 3 },
      { name: 'memory', weight: 1 },
    ],
  },
  {
    type: 'RequestedToCapacityRatio',
    resources: [...BASIC, { name: GPU, weight: 3 }],
    shape: [
      { utilization: 0, score: 2 },
      { utilization: 40, score: 10 },
      { utilization: 100, score: 0 },
    ],
  },
]

/** How often each thing was compared, so that a test that compares nothing fails. */
interface Tally {
  placed: number
  unfit: number
  displacing: number
}

/** As the API server keeps it: the keys of labels become part of selectors. */
function kept(pod: Pod): Pod {
  const { status } = pod
  const copy = structuredClone(pod)
  prepareNewPod(copy)
  return { ...copy, status }
}

function fastWorld(world: World, strategy: Strategy): PluginWorld {
  const find = <T extends { metadata: { name: string; namespace?: string | undefined } }>(
    list: readonly T[],
    namespace: string | undefined,
    name: string,
  ) => list.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
  return pluginWorld(PLUGINS, {
    nodes: world.nodes,
    pods: world.pods.map(kept),
    objects: {
      namespaceLabels: (name) => world.namespaces[name],
      namespaces: () => Object.keys(world.namespaces),
      services: (namespace) => world.services.filter(({ metadata }) => metadata.namespace === namespace),
      replicaSet: (namespace, name) => find(world.replicaSets, namespace, name),
      disruptionBudgets: () => world.budgets,
      persistentVolumeClaim: (namespace, name) => find(world.claims, namespace, name),
      persistentVolume: (name) => find(world.volumes, undefined, name),
    },
    settings: { NodeResourcesFit: { args: { scoringStrategy: strategy } } },
  })
}

class Comparison {
  readonly #world: World
  readonly #fast: PluginWorld
  readonly #strategy: Strategy
  readonly #dice: Dice
  readonly #tally: Tally
  readonly #search = new NodeSearch()
  /** Pods that are being placed, as the scheduler's informers have them. */
  readonly #live = new Map<string, Pod>()
  #made = 0

  constructor(seed: number, tally: Tally) {
    this.#dice = dice(seed)
    this.#world = randomWorld(this.#dice)
    this.#strategy = this.#dice.of(STRATEGIES)
    this.#fast = fastWorld(this.#world, this.#strategy)
    this.#fast.live = (_namespace, name) => this.#live.get(name)
    this.#tally = tally
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      if (this.#dice.chance(0.4)) this.#change()
      const kind = this.#dice.of(this.#world.templates)
      const count = 1 + this.#dice.below(2)
      for (let i = 0; i < count; i++) this.#schedule(podFrom(kind, `new-${this.#made++}`))
    }
  }

  #schedule(pod: Pod): void {
    const { framework, snapshot } = this.#fast
    const world = this.#world
    const info = new PodInfo(kept(pod))
    const attempt = framework.begin(snapshot)
    const placement = place(framework, attempt, info, this.#search, this.#dice.random)
    const fitting = world.nodes.filter((node) => feasible(world, pod, node, this.#promised(node)))
    const names = fitting.map(({ metadata }) => metadata.name)
    if (placement.type !== 'placed') {
      expect([placement.type, names]).toEqual(['unfit', []])
      this.#tally.unfit++
      if (placement.type === 'unfit')
        this.#compareVictims(pod, info, () => framework.propose(whatIf(attempt), info, placement.diagnosis.statuses))
      return
    }
    this.#tally.placed++
    const { node, scores } = placement
    expect(scores?.nodes.toSorted() ?? [node]).toEqual(names.toSorted())
    if (scores) this.#compareScores(pod, node, scores)
    const placed = { ...pod, spec: { ...pod.spec, nodeName: node }, status: { ...pod.status, startTime: '2026-01-01T00:10:00Z' } }
    world.pods.push(placed)
    snapshot.addPod(new PodInfo(kept(placed)), node)
  }

  #compareScores(
    pod: Pod,
    chosen: string,
    { nodes: names, plugins, totals }: NonNullable<Extract<ReturnType<typeof place>, { type: 'placed' }>['scores']>,
  ): void {
    const nodes = names.map((name) => this.#world.nodes.find(({ metadata }) => metadata.name === name) as Node)
    const sums = nodes.map(() => 0)
    for (const [name, { weight, score }] of Object.entries(scoresBy(this.#strategy))) {
      const wanted = score(this.#world, pod, nodes)
      expect([name, plugins.find(({ plugin }) => plugin === name)?.scores ?? null]).toEqual([name, wanted])
      wanted?.forEach((each, i) => (sums[i] = (sums[i] as number) + each * weight))
    }
    expect(totals).toEqual(sums)
    expect(sums[names.indexOf(chosen)]).toBe(Math.max(...sums))
  }

  #compareVictims(pod: Pod, info: PodInfo, propose: () => ReturnType<PluginWorld['framework']['propose']>): void {
    this.#live.set(pod.metadata.name, info.pod)
    const wanted = this.#world.nodes.flatMap((node) => displacement(this.#world, pod, node, this.#promised(node), NOW) ?? [])
    const shown = (node: string, victims: readonly Pod[], violations: number) => ({
      node,
      violations,
      victims: victims.map(({ metadata }) => metadata.name).toSorted(),
    })
    const byNode = (a: { node: string }, b: { node: string }) => (a.node < b.node ? -1 : 1)
    const expected = wanted
      .filter(({ victims }) => victims.length > 0)
      .map(({ node, victims, violations }) => shown(node, victims, violations))
    // The second time from memory, where there is one.
    for (let time = 0; time < 2; time++) {
      const proposed = [...propose()]
      const found = proposed.map(([node, { pods, violations }]) =>
        shown(
          node,
          pods.map((victim) => victim.pod),
          violations,
        ),
      )
      expect(found.toSorted(byNode)).toEqual(expected.toSorted(byNode))
      const best = bestCandidate(proposed.map(([node, victims]) => candidate(node, victims)))
      if (!best) continue
      this.#tally.displacing++
      const ranked = wanted.filter(({ victims }) => victims.length > 0).toSorted((a, b) => compare(badness(a, NOW), badness(b, NOW)))
      const chosen = wanted.find(({ node }) => node === best.node)
      expect(chosen && badness(chosen, NOW)).toEqual(ranked[0] && badness(ranked[0], NOW))
    }
  }

  #promised({ metadata }: Node): readonly Pod[] {
    return this.#world.promised.get(metadata.name) ?? []
  }

  /** Something happens that makes what was remembered of a node untrue. */
  #change(): void {
    const world = this.#world
    const { snapshot, nominator } = this.#fast
    const dice = this.#dice
    const at = dice.below(world.nodes.length)
    const { name } = (world.nodes[at] as Node).metadata
    switch (dice.below(4)) {
      case 0: {
        const gone = world.pods.length > 0 ? dice.of(world.pods) : null
        if (!gone) return
        world.pods = world.pods.filter((pod) => pod !== gone)
        snapshot.removePod(gone.metadata.uid)
        return
      }
      case 1: {
        const node = randomNode(dice, name)
        world.nodes[at] = node
        snapshot.setNode(node)
        return
      }
      case 2: {
        const node = randomNode(dice, `late-${this.#made++}`)
        world.nodes.push(node)
        snapshot.setNode(node)
        return
      }
      default: {
        const pod = podFrom(dice.of(world.templates), `promised-${this.#made++}`)
        world.promised.set(name, [...this.#promised(world.nodes[at] as Node), pod])
        nominator.set(new PodInfo(kept(pod)), name)
      }
    }
  }
}

describe('the scheduler decides as the slow and obvious reference does', () => {
  const tally: Tally = { placed: 0, unfit: 0, displacing: 0 }
  const share = 100
  const ranges = Array.from({ length: CLUSTERS / share }, (_, i) => [i * share + 1, (i + 1) * share] as const)
  test.each(ranges)('in the clusters of seeds %d to %d', (from, to) => {
    for (let seed = from; seed <= to; seed++) {
      try {
        new Comparison(seed, tally).run()
      } catch (error) {
        throw new Error(`the cluster of seed ${seed}`, { cause: error })
      }
    }
  })

  test('and the clusters leave something to decide', () => {
    expect(Math.min(tally.placed, tally.unfit)).toBeGreaterThan(CLUSTERS)
    expect(tally.displacing).toBeGreaterThan(CLUSTERS / 4)
  })
})
