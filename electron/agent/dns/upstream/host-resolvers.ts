/** The name servers of the machine, as its resolv.conf names them now. */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Clock } from '../../../base/clock.ts'
import { Emitter } from '../../../base/events.ts'
import { component, type Component, componentWith } from '../../../base/lifecycle.ts'
import { parseResolvConf } from '../../kubelet/containers/dns.ts'

export interface HostResolvers extends Component {
  /** Addresses, in order of preference. */
  readonly servers: readonly string[]
  readonly changed: Emitter<void>
}

export interface HostResolversDeps {
  /** The first of these that names a server counts. */
  readonly files: readonly string[]
  /** Addresses at which this server itself listens: asking there would lead in circles. */
  readonly own: ReadonlySet<string>
  readonly clock: Clock
}

/** systemd-resolved's list stands in where the machine's own file names only this cluster's DNS. */
export const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']

/** Milliseconds. The file is read and not watched: it is often a link into a folder that comes and goes. */
const LOOK = 2000

export function createHostResolvers({ files, own, clock }: HostResolversDeps): HostResolvers {
  const changed = new Emitter<void>()
  let servers: readonly string[] = []

  const read = async () => {
    let found: readonly string[] = []
    for (const file of files) {
      const { servers: named } = parseResolvConf(await readFile(file, 'utf8').catch(() => ''))
      found = [...new Set(named)].filter((address) => isIP(address) && !own.has(address))
      if (found.length) break
    }
    if (found.join(' ') === servers.join(' ')) return
    servers = found
    changed.emit()
  }

  const base = component(async (stack) => {
    await read()
    stack.use(clock.setInterval(() => void read(), LOOK, { unref: true }))
  })
  return componentWith(base, {
    get servers() {
      return servers
    },
    changed,
  })
}
