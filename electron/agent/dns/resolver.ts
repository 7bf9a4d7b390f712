/** Questions in, answers out: the cluster's own names from its zones, all others from the machine's name servers. */
import type { Logger } from '../../base/logger.ts'
import { randomInt, type Random } from '../../base/random.ts'
import type { Forwarder } from './upstream/forwarder.ts'
import { handOn } from './upstream/hand-on.ts'
import { questionFor, questionOf } from './upstream/question.ts'
import { sizeLimit, writeAnswer, writeRefusal, type Answer } from './wire/answer.ts'
import { CLASS, RCODE, TYPE, type Rcode } from './wire/constants.ts'
import { readQuery, type Query } from './wire/query.ts'
import type { DnsRecord } from './wire/record.ts'
import { portableAnswers, portableSoa } from './wire/response.ts'
import type { Found, Zone } from './zone/found.ts'

export interface ResolverDeps {
  readonly zones: readonly Zone[]
  /** The record that says who answers for a zone. */
  readonly authority: (zone: string) => DnsRecord
  readonly forwarder: Pick<Forwarder, 'ask'>
  readonly random: Random
  readonly logger: Logger
}

export type Protocol = 'udp' | 'tcp'

/** Of names that stand for names. */
const MOST_ALIASES = 8

export class Resolver {
  readonly #deps: ResolverDeps

  constructor(deps: ResolverDeps) {
    this.#deps = deps
  }

  /** Null for what deserves no answer. Does not reject. */
  async answer(message: Uint8Array, protocol: Protocol): Promise<Uint8Array | null> {
    const read = readQuery(message)
    if (read.kind === 'ignore') return null
    if (read.kind === 'malformed') return writeRefusal(read.id, read.flags, RCODE.FORMERR)
    const { query } = read
    const limit = sizeLimit(query, protocol)
    try {
      const refused = refusal(query)
      if (refused !== null) return writeAnswer(query, only(refused), limit)
      const found = this.#find(query.name, query.type)
      if (found) return writeAnswer(query, await this.#own(query, found), limit)
      const answer = await this.#deps.forwarder.ask(questionOf(query))
      if (answer) return handOn(answer, query, limit, this.#deps.random.float())
    } catch (error) {
      this.#deps.logger.error('a question was not answered', { name: query.name, type: query.type, error })
    }
    return writeAnswer(query, only(RCODE.SERVFAIL), limit)
  }

  #find(name: string, type: number): Found | null {
    for (const zone of this.#deps.zones) {
      const found = zone.find(name, type)
      if (found) return found
    }
    return null
  }

  async #own(query: Query, first: Found): Promise<Answer> {
    const chain: DnsRecord[] = []
    let found = first
    while (found.kind === 'alias') {
      chain.push(found.record)
      if (query.type === TYPE.CNAME || query.type === TYPE.ANY) return { rcode: RCODE.NOERROR, authoritative: true, answers: chain }
      if (chain.length > MOST_ALIASES) return only(RCODE.SERVFAIL)
      const next = this.#find(found.target, query.type)
      if (!next) return this.#abroad(query, chain, found.target)
      found = next
    }
    switch (found.kind) {
      case 'records': {
        const answers = [...chain, ...this.#shuffled(found.records)]
        return { rcode: RCODE.NOERROR, authoritative: true, answers, additional: found.additional ?? [] }
      }
      case 'unknown':
        return only(RCODE.SERVFAIL)
      case 'empty':
      case 'missing': {
        const rcode = found.kind === 'empty' ? RCODE.NOERROR : RCODE.NXDOMAIN
        return { rcode, authoritative: true, answers: chain, authority: [this.#deps.authority(found.zone)] }
      }
    }
  }

  /** An alias of ours that leads to a name of others. */
  async #abroad(query: Query, chain: readonly DnsRecord[], target: string): Promise<Answer> {
    const answer = await this.#deps.forwarder.ask(questionFor(query, target))
    if (!answer) return only(RCODE.SERVFAIL)
    const { response, age } = answer
    const aged = (record: DnsRecord) => ({ ...record, ttl: Math.max(0, record.ttl - age) })
    const records = portableAnswers(response).map(aged)
    const soa = portableSoa(response)
    const rcode = response.rcode === RCODE.NXDOMAIN ? RCODE.NXDOMAIN : RCODE.NOERROR
    return { rcode, authoritative: true, answers: [...chain, ...records], authority: soa ? [aged(soa)] : [] }
  }

  /** So that clients that take the first one spread over all. */
  #shuffled(records: readonly DnsRecord[]): readonly DnsRecord[] {
    const out = [...records]
    for (let i = out.length - 1; i > 0; i--) {
      const other = randomInt(this.#deps.random, i + 1)
      const swapped = out[i] as DnsRecord
      out[i] = out[other] as DnsRecord
      out[other] = swapped
    }
    return out
  }
}

const only = (rcode: Rcode): Answer => ({ rcode, authoritative: false, answers: [] })

function refusal({ opcode, edns, class: asked, type }: Query): Rcode | null {
  if (opcode !== 0) return RCODE.NOTIMP
  if (edns && edns.version !== 0) return RCODE.BADVERS
  if (asked !== CLASS.IN && asked !== CLASS.ANY) return RCODE.REFUSED
  return type === TYPE.AXFR || type === TYPE.IXFR ? RCODE.REFUSED : null
}
