/** An nftables table in memory that takes our commands and is as strict about order and references as the kernel. */
import { TABLE } from '../render.ts'

interface ModelSet {
  readonly kind: 'set' | 'map'
  readonly spec: string
  readonly elements: Map<string, string>
}

interface ModelChain {
  readonly hook: string
  rules: string[]
}

/** What a rule or a verdict names. */
const CHAIN_NAMED = /\b(?:jump|goto) ([\w/.-]+)/g
const SET_NAMED = /@([\w/.-]+)/g

export class TableModel {
  #exists = false
  readonly #chains = new Map<string, ModelChain>()
  readonly #sets = new Map<string, ModelSet>()

  /** All commands or, with the first that the kernel would refuse, an error. */
  apply(commands: readonly string[]): this {
    for (const command of commands) this.#run(command)
    return this
  }

  /** Without regard to the order in which chains, sets and elements came. */
  content() {
    const sorted = <T>(entries: Iterable<[string, T]>) => Object.fromEntries([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    const sets = [...this.#sets].map(([name, set]): [string, object] => [name, { ...set, elements: sorted(set.elements) }])
    return { chains: sorted(this.#chains), sets: sorted(sets) }
  }

  #run(command: string): void {
    const [, verb = '', what = '', rest = ''] = new RegExp(`^(\\w+) (\\w+) ${TABLE} ?(.*)$`).exec(command) ?? refuse(command)
    if (!this.#exists && !(verb === 'add' && what === 'table')) refuse(command)
    const [name = ''] = rest.split(' ')
    const body = rest.slice(name.length + 1)
    switch (`${verb} ${what}`) {
      case 'add table':
        this.#exists = true
        return
      case 'delete table':
        this.#exists = false
        this.#chains.clear()
        this.#sets.clear()
        return
      case 'flush table':
        for (const chain of this.#chains.values()) chain.rules = []
        return
      case 'add chain':
        if (!this.#chains.has(name)) this.#chains.set(name, { hook: body, rules: [] })
        return
      case 'flush chain':
        this.#chain(name, command).rules = []
        return
      case 'delete chain':
        if (this.#chain(name, command).rules.length || this.#isNamed(CHAIN_NAMED, name)) refuse(command)
        this.#chains.delete(name)
        return
      case 'add rule':
        this.#mustKnow(body, command)
        this.#chain(name, command).rules.push(body)
        return
      case 'add set':
      case 'add map':
        if (!this.#sets.has(name)) this.#sets.set(name, { kind: what as ModelSet['kind'], spec: body, elements: new Map() })
        return
      case 'flush set':
      case 'flush map':
        this.#set(name, command).elements.clear()
        return
      case 'delete set':
      case 'delete map':
        if (this.#set(name, command).kind !== what || this.#isNamed(SET_NAMED, name)) refuse(command)
        this.#sets.delete(name)
        return
      case 'add element':
        return this.#addElements(this.#set(name, command), body, command)
      case 'delete element':
        for (const key of items(body)) if (!this.#set(name, command).elements.delete(key)) refuse(command)
        return
      default:
        refuse(command)
    }
  }

  #addElements({ elements }: ModelSet, body: string, command: string): void {
    for (const item of items(body)) {
      const [key = '', value = ''] = item.split(' : ')
      this.#mustKnow(value, command)
      if (elements.has(key) && elements.get(key) !== value) refuse(command)
      elements.set(key, value)
    }
  }

  #mustKnow(text: string, command: string): void {
    for (const [, chain = ''] of text.matchAll(CHAIN_NAMED)) if (!this.#chains.has(chain)) refuse(command)
    for (const [, set = ''] of text.matchAll(SET_NAMED)) if (!this.#sets.has(set)) refuse(command)
  }

  #isNamed(pattern: RegExp, name: string): boolean {
    const texts = [
      ...[...this.#chains.values()].flatMap(({ rules }) => rules),
      ...[...this.#sets.values()].flatMap(({ elements }) => [...elements.values()]),
    ]
    return texts.some((text) => [...text.matchAll(pattern)].some(([, named]) => named === name))
  }

  #chain(name: string, command: string): ModelChain {
    return this.#chains.get(name) ?? refuse(command)
  }

  #set(name: string, command: string): ModelSet {
    return this.#sets.get(name) ?? refuse(command)
  }
}

const items = (body: string): string[] => body.replace(/^\{ (.*) \}$/, '$1').split(', ')

function refuse(command: string): never {
  throw new Error(`refused: ${command}`)
}
