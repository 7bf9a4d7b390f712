/** Replacing the agent of a node through the agent itself: nobody's password is needed for that. */
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { AgentTls } from '../steps/remove.ts'

/** What an agent says of its program; see the agent's `upgrade/programs.ts`. */
export interface AgentPrograms {
  readonly version: string
  readonly sha256: string
  readonly previous: string | null
  readonly onTrial: boolean
  readonly refused: { readonly sha256: string; readonly why: string } | null
}

export interface AgentProgramDeps {
  readonly name: string
  readonly clock: Clock
  readonly tls: () => Promise<AgentTls>
  /** A stream to the agent's port. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>
  /** When the node said last that it is Ready, by its own clock; null while it is not. */
  readonly heartbeat: () => string | null
  readonly signal: AbortSignal
  readonly detail: (text: string) => void
}

export interface Replaced {
  readonly from: string
  /** The same as `from` when nothing was to be done. */
  readonly to: string
  readonly version: string
}

const PATH = '/flotilla/v1/agent'
const ANSWER_MS = 60_000
/** Less than the agent's own patience, after which it goes back by itself. */
const HEALTHY_WITHIN_MS = 150_000
const LOOK_MS = 1000

/** Gives the agent this program and waits until the node does well with it; otherwise the one before is back. Throws REMOTE_COMMAND_FAILED. */
export async function upgradeAgent(deps: AgentProgramDeps, program: { file: string; sha256: string }): Promise<Replaced> {
  const before = await programsOf(deps)
  if (before.sha256 === program.sha256) {
    if (before.onTrial) await call(deps, 'POST', `${PATH}/commit`)
    return { from: before.sha256, to: before.sha256, version: before.version }
  }
  deps.detail('sending the new agent')
  const beat = deps.heartbeat()
  await call(deps, 'PUT', `${PATH}?sha256=${program.sha256}`, await readFile(program.file))
  deps.detail('waiting for it to do well')
  try {
    const now = await untilWell(deps, program.sha256, beat)
    await call(deps, 'POST', `${PATH}/commit`)
    return { from: before.sha256, to: now.sha256, version: now.version }
  } catch (error) {
    if (!deps.signal.aborted) await call(deps, 'POST', `${PATH}/rollback`).catch(() => undefined)
    throw error
  }
}

/** Takes the program before. Throws REMOTE_COMMAND_FAILED if there is none. */
export async function rollBackAgent(deps: AgentProgramDeps): Promise<Replaced> {
  const before = await programsOf(deps)
  const beat = deps.heartbeat()
  await call(deps, 'POST', `${PATH}/rollback`)
  deps.detail('waiting for the agent before it')
  const now = await untilWell(deps, before.previous ?? '', beat)
  return { from: before.sha256, to: now.sha256, version: now.version }
}

export async function programsOf(deps: Pick<AgentProgramDeps, 'name' | 'tls' | 'dial' | 'signal'>): Promise<AgentPrograms> {
  return JSON.parse(await call(deps, 'GET', PATH)) as AgentPrograms
}

/** What the agent says, and until when the certificate that it shows holds, in milliseconds since the epoch. */
export async function examineAgent(
  deps: Pick<AgentProgramDeps, 'name' | 'tls' | 'dial' | 'signal'>,
): Promise<{ programs: AgentPrograms; validTo: number }> {
  let validTo = 0
  const text = await call(deps, 'GET', PATH, undefined, (until) => (validTo = until))
  return { programs: JSON.parse(text) as AgentPrograms, validTo }
}

async function untilWell(deps: AgentProgramDeps, sha256: string, beat: string | null): Promise<AgentPrograms> {
  const { clock, signal, name, heartbeat } = deps
  const end = clock.monotonic() + HEALTHY_WITHIN_MS
  let last = 'Its agent did not answer.'
  while (clock.monotonic() < end) {
    await sleep(clock, LOOK_MS, signal)
    const now = await programsOf(deps).catch((error: unknown) => {
      signal.throwIfAborted()
      last = `Its agent did not answer: ${messageOf(error)}.`
      return null
    })
    if (now?.refused?.sha256 === sha256) throw failed(name, now.refused.why)
    if (now?.sha256 !== sha256) continue
    const latest = heartbeat()
    if (latest !== null && latest !== beat) return now
    last = 'The agent runs, and its node does not become Ready.'
  }
  throw failed(name, last)
}

function failed(name: string, why: string): FlotillaError {
  return new FlotillaError('REMOTE_COMMAND_FAILED', {
    what: `The agent of ${name} could not be replaced.`,
    why,
    next: 'The one before is back or comes back by itself within 3 minutes; its log says more: `flotilla node logs`.',
  })
}

async function call(
  { name, tls, dial, signal }: Pick<AgentProgramDeps, 'name' | 'tls' | 'dial' | 'signal'>,
  method: 'GET' | 'PUT' | 'POST',
  path: string,
  body?: Uint8Array,
  onCertificate?: (validTo: number) => void,
): Promise<string> {
  const identity = await tls()
  const stream = await dial(signal)
  try {
    const { status, text } = await exchange(stream, identity, {
      name,
      method,
      path,
      signal,
      ...(body ? { body } : {}),
      ...(onCertificate ? { onCertificate } : {}),
    })
    if (status < 300) return text
    if (status !== 404) throw failed(name, `It said: ${text.trim()}`)
    throw new FlotillaError('UNSUPPORTED', {
      what: `The agent of ${name} cannot replace itself.`,
      why: 'It is of a version that did not know how.',
      next: `Set the machine up again with \`flotilla node repair ${name}\`: that brings the new agent.`,
    })
  } finally {
    stream.destroy()
  }
}

function exchange(
  stream: Duplex,
  tls: AgentTls,
  options: {
    name: string
    method: string
    path: string
    signal: AbortSignal
    body?: Uint8Array
    onCertificate?: (validTo: number) => void
  },
): Promise<{ status: number; text: string }> {
  const { name, method, path, signal, body } = options
  return new Promise((resolve, reject) => {
    // The certificate names the node; that it is the right machine is known from the SSH host key.
    const socket = connectTls({ socket: stream, ...tls, servername: name, checkServerIdentity: () => undefined })
    socket.once('secureConnect', () => options.onCertificate?.(Date.parse(socket.getPeerCertificate().valid_to)))
    const headers = { host: name, 'content-length': body?.length ?? 0 }
    const asking = request({ method, path, signal, headers, createConnection: () => socket })
    asking.setTimeout(ANSWER_MS, () => asking.destroy(new Error('the agent did not answer')))
    asking.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => resolve({ status: response.statusCode ?? 500, text: Buffer.concat(parts).toString() }))
      response.on('error', reject)
    })
    asking.on('error', reject)
    stream.on('error', reject)
    asking.end(body)
  })
}
