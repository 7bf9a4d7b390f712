/** Taking everything off a machine: by its agent where that answers, else over SSH as root; then looking whether anything is left. */
import type { Duplex } from 'node:stream'
import { request } from 'node:http'
import { connect as connectTls } from 'node:tls'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import { AGENT_PORT, LAYOUT, UNITS } from '../layout.ts'
import type { SshConnection } from '../ssh/connection.ts'
import { quote } from '../quote.ts'
import type { PrivateKey } from '../ssh/keys.ts'
import { rootShell, userShell } from '../ssh/sudo.ts'
import { removeKey } from './key.ts'
import { writeFiles } from './write-files.ts'

/** The certificate by which the agent knows the control plane. PEM. */
export interface AgentTls {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface RemovalOptions {
  readonly name: string
  /** As it was written down when the machine was set up; what another cluster owns now is left alone. */
  readonly owner: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly clusterKey: PrivateKey
  /** Absent: the agent is not asked. */
  readonly tls?: AgentTls
  readonly sudoPassword?: string | undefined
  /** Our script: the machine may have none, or an older one. */
  readonly uninstallScript: string
  readonly detail: (text: string) => void
}

const AGENT_TAKES_MS = 90_000

/**
 * Leaves nothing of Flotilla on the machine, its key included. Throws NO_SUDO if neither the agent nor sudo could do it, and
 * REMOTE_COMMAND_FAILED naming what is left. `via` is the jump host, if any.
 */
export async function removeFrom(connection: SshConnection, via: SshConnection | null, options: RemovalOptions): Promise<void> {
  const { signal, detail, clusterKey } = options
  const owner = await userShell(connection).exec(`cat ${LAYOUT.owner} 2>/dev/null`, { signal, timeoutMs: 30_000 })
  const ours = ['', options.owner].includes(owner.stdout.trim())
  let left = ours ? await remains(connection, signal) : []
  if (left.length > 0 && options.tls) {
    detail('asking the agent to clean up')
    const asked = await askAgent(connection, options.tls, options)
    if (asked) left = await untilGone(connection, options)
  }
  if (left.length > 0) {
    detail('cleaning up as root')
    await uninstallAsRoot(connection, options)
    left = await remains(connection, signal)
  }
  if (left.length > 0)
    throw new FlotillaError('REMOTE_COMMAND_FAILED', {
      what: `${options.name} could not be cleaned up.`,
      why: `Still there: ${left.join(', ')}.`,
      next: `Look there as root, or run ${LAYOUT.uninstall} if it is still there. Then remove the machine again, or forget it.`,
    })
  detail("removing Flotilla's key")
  await removeKey(userShell(connection), clusterKey.publicText, signal)
  if (via) await removeKey(userShell(via), clusterKey.publicText, signal).catch(() => undefined)
}

/** What of Flotilla the SSH user can see on the machine. */
async function remains(connection: SshConnection, signal: AbortSignal): Promise<string[]> {
  const places = [
    LAYOUT.programs,
    LAYOUT.state,
    LAYOUT.run,
    LAYOUT.logs,
    LAYOUT.cniConfig,
    ...Object.values(UNITS).map((unit) => `${LAYOUT.units}/${unit}`),
  ]
  const links = ['flotilla0', 'flotilla.vx'].map((link) => `/sys/class/net/${link}`)
  const { stdout } = await userShell(connection).exec(
    `for place in ${[...places, ...links].map(quote).join(' ')}; do [ ! -e "$place" ] || echo "$place"; done`,
    { signal, timeoutMs: 30_000 },
  )
  return stdout.split('\n').filter(Boolean)
}

/** True if the agent said that it will do it. */
async function askAgent(connection: SshConnection, tls: AgentTls, { name, signal }: RemovalOptions): Promise<boolean> {
  try {
    const stream = await connection.dial('127.0.0.1', AGENT_PORT, signal)
    const status = await post(stream, tls, name, '/flotilla/v1/uninstall', signal)
    return status >= 200 && status < 300
  } catch (error) {
    if (connection.closed.aborted || signal.aborted) throw error
    return false
  }
}

function post(stream: Duplex, tls: AgentTls, node: string, path: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    // The certificate names the node; that it is the right machine is known from the SSH host key.
    const socket = connectTls({ socket: stream, ...tls, servername: node, checkServerIdentity: () => undefined })
    const call = request({ method: 'POST', path, signal, headers: { host: node, 'content-length': 0 }, createConnection: () => socket })
    call.setTimeout(30_000, () => call.destroy(new Error('the agent did not answer')))
    call.on('response', (response) => {
      response.resume()
      response.on('end', () => {
        resolve(response.statusCode ?? 500)
        stream.destroy()
      })
    })
    call.on('error', (error) => {
      stream.destroy()
      reject(new Error(messageOf(error), { cause: error }))
    })
    stream.on('error', reject)
    call.end()
  })
}

async function untilGone(connection: SshConnection, { clock, signal }: RemovalOptions): Promise<string[]> {
  const start = clock.monotonic()
  for (;;) {
    const left = await remains(connection, signal)
    if (left.length === 0 || clock.monotonic() - start > AGENT_TAKES_MS) return left
    await sleep(clock, 500, signal)
  }
}

async function uninstallAsRoot(connection: SshConnection, { sudoPassword, signal, uninstallScript }: RemovalOptions): Promise<void> {
  const root = await rootShell(connection, sudoPassword, signal)
  await writeFiles(root, [{ path: LAYOUT.uninstall, mode: 0o755, content: uninstallScript }], signal)
  await root.exec(LAYOUT.uninstall, { signal, timeoutMs: 120_000 })
}
