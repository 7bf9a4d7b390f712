import { expect, it } from 'vitest'
import { randomInt, seededRandom } from '../../base/random.ts'
import { NodeSearch } from '../cycle/node-search.ts'
import { nodeResourcesFit } from '../plugins/node-resources-fit/node-resources-fit.ts'
import { nodeUnschedulable } from '../plugins/node-unschedulable/node-unschedulable.ts'
import { PodInfo } from '../snapshot/pod-info.ts'
import { nodeOf, podOf, type PodOptions } from '../testing/objects.ts'
import { pluginWorld } from '../testing/plugin-world.ts'
import { Framework } from './framework.ts'
import { resolveProfile } from './profile.ts'

const PLUGINS = [nodeUnschedulable, nodeResourcesFit]
const NODES = 30
const STEPS = 2000
const DEMANDS: readonly PodOptions[] = [{ requests: { cpu: '3' } }, { requests: { cpu: '4' } }, { requests: { cpu: '9', memory: '9Gi' } }]

it('says of all nodes what a search that remembers nothing says, whatever changes, and as it was at the time', () => {
  const random = seededRandom(7)
  const below = (n: number) => randomInt(random, n)
  const world = pluginWorld(PLUGINS, { nodes: Array.from({ length: NODES }, (_, i) => nodeOf(`n${i}`)) })
  const { snapshot, nominator } = world
  const search = new NodeSearch()
  const placed: PodInfo[] = []
  const promised: PodInfo[] = []
  let made = 0
  const someNode = () => snapshot.nodes[below(snapshot.nodes.length)]?.name ?? ''
  const pod = () => new PodInfo(podOf(`p${made++}`, { requests: { cpu: String(1 + below(4)) } }))
  const changes = [
    () => {
      const info = pod()
      placed.push(info)
      snapshot.addPod(info, someNode())
    },
    () => snapshot.removePod(placed.splice(below(placed.length), 1)[0]?.uid ?? ''),
    () => {
      const info = pod()
      promised.push(info)
      nominator.set(info, someNode())
    },
    () => nominator.delete(promised.splice(below(promised.length), 1)[0]?.uid ?? ''),
    () => snapshot.setNode(nodeOf(someNode(), { cpu: String(2 + below(4)), unschedulable: below(5) === 0 })),
    () => {
      if (snapshot.nodes.length > NODES / 2) snapshot.removeNode(someNode())
      else snapshot.setNode(nodeOf(`late-${made++}`))
    },
  ]
  const shown = ({ nodes, diagnosis }: ReturnType<NodeSearch['find']>) => ({
    fits: nodes.map(({ name }) => name).toSorted(),
    ...(nodes.length > 0
      ? {}
      : {
          message: diagnosis.message(snapshot.nodes.length),
          rejectors: [...diagnosis.rejectors].toSorted(),
          statuses: Object.fromEntries([...diagnosis.statuses.explicit()].map(([node, { reasons, code }]) => [node, [code, ...reasons]])),
          promising: diagnosis.statuses
            .withCode(snapshot.nodes, 'Unschedulable')
            .map(({ name }) => name)
            .toSorted(),
        }),
  })
  let earlier: { diagnosis: ReturnType<NodeSearch['find']>['diagnosis']; statuses: unknown } | null = null
  const tally = { fit: 0, refused: 0, promised: 0 }
  for (let step = 0; step < STEPS; step++) {
    for (let i = below(4); i > 0; i--) changes[below(changes.length)]?.()
    const info = promised.length > 0 && below(3) === 0 ? (promised[below(promised.length)] as PodInfo) : undefined
    const asked = info ?? new PodInfo(podOf(`asks-${step}`, DEMANDS[below(DEMANDS.length)]))
    const fresh = new Framework(resolveProfile({ plugins: PLUGINS }, []), () => world.handle)
    const found = search.find(world.framework, world.framework.begin(snapshot), asked)
    const wanted = new NodeSearch().find(fresh, fresh.begin(snapshot), asked)
    expect(shown(found)).toEqual(shown(wanted))
    if (earlier) expect(Object.fromEntries(earlier.diagnosis.statuses.explicit())).toEqual(earlier.statuses)
    if (found.nodes.length > 0) tally.fit++
    else {
      tally.refused++
      earlier = { diagnosis: found.diagnosis, statuses: Object.fromEntries(found.diagnosis.statuses.explicit()) }
    }
    if (info) tally.promised++
  }
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(STEPS / 10)
})
