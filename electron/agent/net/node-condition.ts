/** Tells on the Node what is wrong with its network: the condition `NetworkUnavailable`. Source: kubernetes `pkg/controller/route`. */
import { Mutex } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { component, type Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import type { Node, NodeCondition } from '../../api/core/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import type { Client } from '../../client/client.ts'
import type { Informers } from '../../client/informer.ts'
import { Backoff } from '../../machinery/backoff.ts'
import type { Problem, ProblemSource } from './problem.ts'

export interface NodeConditionDeps {
  readonly nodeName: string
  readonly problems: ProblemSource
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly logger: Logger
}

type Told = Pick<NodeCondition, 'status' | 'reason' | 'message'>

const TYPE = 'NetworkUnavailable'
/** Milliseconds, in which what is wrong only while a node comes up passes. */
const GATHER = 1000
const RETRY = { initial: 1000, max: 60_000 }

/** `True` while pods of this node can have no network; lesser problems are told as well, with `False`. */
export function conditionOf(problems: readonly Problem[]): Told {
  const [worst] = problems.toSorted((a, b) => Number(b.blocking) - Number(a.blocking))
  if (!worst) return { status: 'False', reason: 'NetworkIsUp', message: 'Pods, Services and the way to other nodes are set up.' }
  return { status: worst.blocking ? 'True' : 'False', reason: worst.reason, message: problems.map(({ message }) => message).join('\n') }
}

/** Kept from the Node as the API server has it, so that it is also put right when somebody else changes it. */
export function createNodeCondition(deps: NodeConditionDeps): Component {
  const { nodeName, problems, client, informers, clock, logger } = deps
  const order = new Mutex()
  const backoff = new Backoff(RETRY)
  let timer: Disposable | null = null

  return component(async (stack, signal) => {
    const informer = informers.for(nodeKind)
    const differs = (node: Node) => {
      const present = node.status.conditions?.find(({ type }) => type === TYPE)
      const wanted = conditionOf(problems.problems)
      return present?.status !== wanted.status || present.reason !== wanted.reason || present.message !== wanted.message
    }
    const schedule = (delay: number) => {
      timer ??= clock.setTimeout(
        () => {
          timer = null
          void order.run(tell)
        },
        delay,
        { unref: true },
      )
    }
    const look = () => {
      const node = informer.get(undefined, nodeName)
      if (node && differs(node)) schedule(GATHER)
    }
    const tell = async () => {
      const node = informer.get(undefined, nodeName)
      if (signal.aborted || !node || !differs(node)) return
      const wanted = conditionOf(problems.problems)
      const old = node.status.conditions?.find(({ type }) => type === TYPE)
      const now = formatTime(clock.now())
      const lastTransitionTime = old?.status === wanted.status && old.lastTransitionTime ? old.lastTransitionTime : now
      const condition = { type: TYPE, ...wanted, lastHeartbeatTime: now, lastTransitionTime }
      try {
        const body = { status: { conditions: [condition] } }
        await client.patch(nodeKind, { name: nodeName }, { type: 'strategic', body }, { subresource: 'status', signal })
        backoff.reset()
      } catch (error) {
        if (signal.aborted) return
        logger.debug('the condition of the network was not told', { error: messageOf(error) })
        schedule(backoff.next())
      }
    }
    stack.defer(async () => {
      timer?.[Symbol.dispose]()
      await order.run(() => undefined)
    })
    stack.use(problems.problemsChanged.on(look))
    const isOwn = (node: Node) => node.metadata.name === nodeName && look()
    stack.use(informer.on({ add: isOwn, update: isOwn }))
  })
}
