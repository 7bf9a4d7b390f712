/**
 * A list of hosts as people have it: one `[user@]host[:port]` a line with `name=` and `label=KEY=VALUE` after it, lines of a hosts
 * file (address, then names), or an Ansible inventory, whose groups become pools.
 */

export interface ListedHost {
  /** Of the text, from 1. */
  readonly line: number
  readonly host: string
  readonly port: number
  /** Absent: what is said for all. */
  readonly user?: string
  /** Of the node. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export interface ListFault {
  readonly line: number
  readonly text: string
  readonly why: 'address' | 'port' | 'name' | 'twice' | 'word'
}

export interface HostList {
  readonly hosts: readonly ListedHost[]
  readonly faults: readonly ListFault[]
}

/** On the nodes of a pool: its name. */
export const POOL_LABEL = 'flotilla.dev/pool'

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*)$/i
/** Of a hosts file: this computer itself, and what is no host. */
const OWN = /^(127\.|::1$|0\.0\.0\.0$|255\.255\.255\.255$|fe00::|ff0[0-9]::)/i

export function parseHostList(text: string): HostList {
  const hosts: ListedHost[] = []
  const faults: ListFault[] = []
  const seen = new Set<string>()
  let pool: string | null = null
  let isSkipped = false
  for (const [i, whole] of text.split(/\r?\n/).entries()) {
    const words = (whole.replace(/(^|\s)[#;].*$/, '').trim() || '').split(/[\s,]+/).filter(Boolean)
    const [first = '', ...more] = words
    if (!first) continue
    const section = /^\[([^\]:]+)(:.*)?\]$/.exec(first)
    if (section) {
      isSkipped = section[2] !== undefined
      pool = ['all', 'ungrouped'].includes(section[1] ?? '') ? null : nameOf(section[1] ?? '')
      continue
    }
    if (isSkipped) continue
    const fault = (why: ListFault['why'], at = first) => void faults.push({ line: i + 1, text: at, why })
    const isHostsFile = ADDRESS.test(first) && more.length > 0 && !more.some((word) => word.includes('='))
    if (isHostsFile && OWN.test(first)) continue
    const found = isHostsFile ? { host: first, name: more[0] ?? '' } : settingsOf(first, more, fault)
    if (!found) continue
    const { host, user, port = '22', name, labels = {} } = { labels: {}, ...found } as Settings
    const number = Number(port)
    if (!/^[^\s/@]+$/.test(host)) fault('address', host)
    else if (!/^\d+$/.test(port) || number < 1 || number > 65_535) fault('port', port)
    else {
      const called = nameOf(name ?? host)
      if (!NAME.test(called)) fault('name', name ?? host)
      else if (seen.has(called)) fault('twice', called)
      else {
        seen.add(called)
        const all = pool === null ? labels : { [POOL_LABEL]: pool, ...labels }
        hosts.push({ line: i + 1, host, port: number, ...(user ? { user } : {}), name: called, labels: all })
      }
    }
  }
  return { hosts, faults }
}

interface Settings {
  host: string
  user?: string
  port?: string
  name?: string
  labels?: Record<string, string>
}

const ALIASES: Readonly<Record<string, 'host' | 'user' | 'port' | 'name'>> = {
  ...{ ansible_host: 'host', ansible_ssh_host: 'host', ansible_user: 'user', ansible_ssh_user: 'user', ansible_port: 'port' },
  ...{ name: 'name', user: 'user', port: 'port', host: 'host' },
}

function settingsOf(first: string, more: readonly string[], fault: (why: ListFault['why'], at?: string) => void): Settings | null {
  const text = first.replace(/^ssh:\/\//, '').replace(/\/$/, '')
  const bracketed = ADDRESS.test(text) && text.includes(':') ? `[${text}]` : text
  const [, user, six, other = '', port] = /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^@:]*))(?::(\d+))?$/.exec(bracketed) ?? []
  const settings: Settings = { host: six ?? other, ...(user ? { user } : {}), ...(port ? { port } : {}) }
  for (const word of more) {
    const at = word.indexOf('=')
    const [key, value] = [word.slice(0, at), word.slice(at + 1)]
    const known = at > 0 ? ALIASES[key] : undefined
    if (known === 'host') {
      // In an inventory the first word is the host's name, and its address comes after.
      settings.name ??= settings.host
      settings.host = value
    } else if (known) settings[known] = value
    else if (key === 'label' && value.indexOf('=') > 0) {
      const [label = '', ...rest] = value.split('=')
      settings.labels = { ...settings.labels, [label]: rest.join('=') }
    } else if (key === 'pool' && value) settings.labels = { ...settings.labels, [POOL_LABEL]: value }
    else if (!key.startsWith('ansible_')) {
      fault('word', word)
      return null
    }
  }
  return settings
}

/** "build-1.example" becomes "build-1", "192.0.2.7" becomes "node-192-0-2-7". */
export function nameOf(host: string): string {
  const label = ADDRESS.test(host) ? `node-${host.replace(/[.:]+/g, '-')}` : (host.split('.')[0] ?? host)
  return label.toLowerCase().replace(/[^a-z0-9-]/g, '-')
}
