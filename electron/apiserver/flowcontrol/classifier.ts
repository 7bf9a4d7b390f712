/** Finds the flow of a request. What was found once is remembered for its user, so that a busy server need not look again. */
import type { RequestInfo } from '../request-info.ts'
import type { UserInfo } from '../types.ts'
import type { Flow, Lane } from './flow.ts'
import { distinguisherOf, matches } from './matching.ts'
import { handOf } from './shuffle-sharding.ts'

/** Users, and requests of one user, that are remembered at most. */
const MOST_USERS = 2048
const MOST_REQUESTS = 512

interface Known {
  readonly groups: readonly string[]
  readonly flows: Map<string, Flow>
}

export class Classifier {
  readonly #lanes: readonly Lane[]
  readonly #known = new Map<string, Known>()

  /** `lanes` in the order of their precedence; the last must be for all. */
  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes
  }

  get lanes(): readonly Lane[] {
    return this.#lanes
  }

  flowOf(user: UserInfo, info: RequestInfo): Flow {
    const { flows } = this.#knownOf(user)
    const key = info.isResource
      ? `${info.verb} ${info.group}/${info.resource}/${info.subresource} ${info.namespace}`
      : `${info.verb} ${info.path}`
    const found = flows.get(key)
    if (found) return found
    if (flows.size >= MOST_REQUESTS) flows.clear()
    const flow = this.#find(user, info)
    flows.set(key, flow)
    return flow
  }

  #knownOf({ name, groups }: UserInfo): Known {
    const known = this.#known.get(name)
    if (known && sameGroups(known.groups, groups)) return known
    if (this.#known.size >= MOST_USERS) this.#known.clear()
    const made = { groups, flows: new Map<string, Flow>() }
    this.#known.set(name, made)
    return made
  }

  #find(user: UserInfo, info: RequestInfo): Flow {
    const lane = this.#lanes.find(({ schema }) => matches(schema, user, info)) ?? this.#lanes.at(-1)
    if (!lane) throw new Error('there is no flow schema')
    const distinguisher = distinguisherOf(lane.schema, user, info)
    const { queues, handSize } = lane.level.deck
    return { lane, distinguisher, hand: queues > 0 ? handOf(lane.schema.metadata.name, distinguisher, queues, handSize) : [] }
  }
}

function sameGroups(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((group, i) => group === b[i]))
}
