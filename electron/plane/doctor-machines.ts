/** How the machines of a running plane do: link, clock, certificates, agent, disk, container runtime and its images. */
import { X509Certificate } from 'node:crypto'
import type { Node } from '../api/core/v1/types.gen.ts'
import type { Machine } from '../api/infra/v1alpha1/types.ts'
import { deadline, type Clock } from '../base/clock.ts'
import { FlotillaError, messageOf } from '../base/errors.ts'
import { findCondition } from '../machinery/conditions.ts'
import type { AgentPrograms } from '../provision/machines/agent-programs.ts'
import type { ExecOptions, ExecResult } from '../provision/ssh/exec.ts'
import type { Check } from './doctor.ts'

export interface MachineDoctorDeps {
  readonly clock: Clock
  readonly machines: readonly Machine[]
  readonly node: (name: string) => Node | undefined
  readonly run: (options: { name: string; script: string; root: boolean }, exec: ExecOptions) => Promise<ExecResult>
  /** What the agent says of its program, and until when its serving certificate holds, in milliseconds since the epoch. */
  readonly agent: (name: string, signal: AbortSignal) => Promise<{ programs: AgentPrograms; validTo: number }>
  /** Of the agent that this app brings. */
  readonly agentSha256: () => Promise<string>
}

const PATIENCE_MS = 20_000
const MINUTE = 60_000
const DAY = 86_400_000
const GIB = 1 << 20

/** Looks at all at the same time; a machine that does not answer in 20 seconds says so. */
export async function diagnoseMachines(deps: MachineDoctorDeps): Promise<Check[]> {
  return (await Promise.all(deps.machines.map((machine) => diagnoseOne(machine, deps)))).flat()
}

/** Until when the cluster's authority holds, and whether this computer's clock is in that time. */
export function authorityCheck(caPem: string, now: number): Check {
  const name = 'Cluster certificates'
  const { validFrom, validTo } = new X509Certificate(caPem)
  const found = `the authority holds until ${day(Date.parse(validTo))}`
  if (now < Date.parse(validFrom))
    return {
      name,
      state: 'fail',
      found: `the cluster was made on ${day(Date.parse(validFrom))}, and here it is ${day(now)}`,
      advice: 'Set the clock of this computer.',
    }
  if (now > Date.parse(validTo) - 365 * DAY)
    return { name, state: 'warn', found, advice: 'Back up what runs and make a new cluster before that day.' }
  return { name, state: 'ok', found }
}

async function diagnoseOne(machine: Machine, deps: MachineDoctorDeps): Promise<Check[]> {
  const { name } = machine.metadata
  const called = (what: string): string => `${name}: ${what}`
  const link = linkCheck(machine, called('link'))
  if (link.state === 'fail') return [{ ...link, advice: (link.advice ?? '').replaceAll('NAME', name) }]
  using limit = deadline(deps.clock, PATIENCE_MS)
  const { signal } = limit
  const failed =
    (what: string) =>
    (error: unknown): Check[] => [
      {
        name: called(what),
        state: 'fail',
        found: error instanceof FlotillaError ? `${error.what} ${error.why}` : messageOf(error),
        advice: error instanceof FlotillaError && error.next ? error.next : `Look at it with \`flotilla node logs ${name}\`.`,
      },
    ]
  const [seen, agent] = await Promise.all([
    lookAround(name, deps, signal, called).catch(failed('machine')),
    agentChecks(name, deps, signal, called).catch(failed('agent')),
  ])
  return [link, nodeCheck(deps.node(name), called('node')), ...agent, ...seen].map((check) =>
    check.advice === undefined ? check : { ...check, advice: check.advice.replaceAll('NAME', name) },
  )
}

function linkCheck({ metadata, status: { link, phase, conditions } }: Machine, name: string): Check {
  if (link?.connected) return { name, state: 'ok', found: `connected since ${link.since}` }
  if (!link)
    return {
      name,
      state: 'fail',
      found: `not set up (${phase ?? 'Pending'})`,
      advice: `Try again with \`flotilla node retry ${metadata.name}\`.`,
    }
  const reason = findCondition(conditions, 'Linked')?.reason ?? ''
  const tries = link.attempts ? `, ${link.attempts} attempts failed` : ''
  return {
    name,
    state: 'fail',
    found: `down since ${link.since}${tries}: ${link.lastError ?? reason}`,
    advice: LINK_ADVICE[reason] ?? OTHER_ADVICE,
  }
}

const OTHER_ADVICE = 'See that the machine is on and reachable from here; the link comes back by itself.'
const LINK_ADVICE: Readonly<Record<string, string>> = {
  HostKeyChanged: 'If the machine was installed anew, remove it and add it again. If not, do not go on: someone may be in between.',
  SignInRefused:
    'Its authorized_keys has lost Flotilla’s key: `flotilla node repair NAME` puts it back, with the password in FLOTILLA_SSH_PASSWORD if one is needed.',
  NameNotFound: 'Correct spec.ssh.host of the Machine, or the name service of this network; a VPN may be missing.',
}

function nodeCheck(node: Node | undefined, name: string): Check {
  const ready = findCondition(node?.status.conditions, 'Ready')
  if (ready?.status === 'True') return { name, state: 'ok', found: 'Ready' }
  const found = ready ? `${ready.reason}: ${ready.message}` : 'it has not joined'
  return {
    name,
    state: 'fail',
    found,
    advice: 'Its agent’s log says more: `flotilla node logs NAME`; `flotilla node repair NAME` sets it up once more.',
  }
}

async function agentChecks(name: string, deps: MachineDoctorDeps, signal: AbortSignal, called: (what: string) => string): Promise<Check[]> {
  const { programs, validTo } = await deps.agent(name, signal)
  const isCurrent = programs.sha256 === (await deps.agentSha256())
  const left = (validTo - deps.clock.now()) / DAY
  const refused = programs.refused ? ` The last upgrade was taken back: ${programs.refused.why}` : ''
  return [
    {
      name: called('agent'),
      ...(isCurrent
        ? { state: 'ok' as const, found: `${programs.version}, this app’s` }
        : {
            state: 'warn' as const,
            found: `${programs.version}, not the one of this app.${refused}`,
            advice: `Give it the new one with \`flotilla node upgrade ${name}\`.`,
          }),
    },
    left < 30
      ? {
          name: called('certificate'),
          state: 'warn',
          found: `holds until ${day(validTo)}`,
          advice: 'It is renewed by itself while the link is up; if it is not, `flotilla node repair NAME`.',
        }
      : { name: called('certificate'), state: 'ok', found: `holds until ${day(validTo)}` },
  ]
}

const LOOK = `
echo "now $(date +%s)"
echo "disk $(df -Pk /var/lib/flotilla 2>/dev/null | awk 'NR == 2 { print $4, $2 }')"
echo "inodes $(df -Pi /var/lib/flotilla 2>/dev/null | awk 'NR == 2 { print $4, $2 }')"`
const LOOK_AS_ROOT = `${LOOK}
if command -v ctr >/dev/null 2>&1; then
  images=$(ctr -a /run/flotilla/containerd.sock -n k8s.io images check 2>&1) && echo "images $(echo "$images" | grep -c ' complete ') $(echo "$images" | grep -c ' incomplete ')" || echo "ctr $images"
fi`

async function lookAround(
  name: string,
  { clock, run }: MachineDoctorDeps,
  signal: AbortSignal,
  called: (what: string) => string,
): Promise<Check[]> {
  const before = clock.now()
  const asRoot = await run({ name, script: LOOK_AS_ROOT, root: true }, { signal }).catch((error: unknown) => {
    if (error instanceof FlotillaError && error.code === 'NO_SUDO') return null
    throw error
  })
  const { stdout } = asRoot ?? (await run({ name, script: LOOK, root: false }, { signal }))
  const after = clock.now()
  const values = new Map(stdout.split('\n').map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const))
  const numbers = (key: string) => (values.get(key) ?? '').split(' ').map(Number)
  return [
    clockCheck(called('clock'), (numbers('now')[0] ?? 0) * 1000, before, after),
    diskCheck(called('disk'), numbers('disk'), numbers('inodes')),
    imagesCheck(called('images'), asRoot !== null, values.get('ctr'), numbers('images')),
  ]
}

/** Certificates and tokens hold by the clock; those that are issued are backdated by an hour. */
function clockCheck(name: string, theirs: number, before: number, after: number): Check {
  const skew = theirs + 999 < before ? theirs + 999 - before : theirs > after ? theirs - after : 0
  const text = `${Math.round(Math.abs(skew) / 1000)} s ${skew < 0 ? 'behind' : 'ahead of'} this computer`
  const advice = 'Turn on time synchronisation on both: timedatectl set-ntp true.'
  if (Math.abs(skew) > 30 * MINUTE) return { name, state: 'fail', found: text, advice: `Certificates do not hold there. ${advice}` }
  if (Math.abs(skew) > MINUTE) return { name, state: 'warn', found: text, advice }
  return { name, state: 'ok', found: 'the same as here' }
}

function diskCheck(name: string, [free = 0, all = 0]: readonly number[], [freeInodes = 0, inodes = 0]: readonly number[]): Check {
  const found = `${(free / GIB).toFixed(1)} Gi of ${(all / GIB).toFixed(1)} Gi free${inodes && freeInodes / inodes < 0.05 ? ', and hardly any inodes' : ''}`
  const advice = 'Make room where /var/lib/flotilla is; images that nobody uses go by themselves at 85 %.'
  if (free < GIB / 2 || (inodes > 0 && freeInodes / inodes < 0.01)) return { name, state: 'fail', found, advice }
  return free < 2 * GIB || free / all < 0.1 ? { name, state: 'warn', found, advice } : { name, state: 'ok', found }
}

function imagesCheck(name: string, wasRoot: boolean, said: string | undefined, [whole = 0, broken = 0]: readonly number[]): Check {
  if (!wasRoot) return { name, state: 'ok', found: 'not looked at: sudo wants a password there' }
  if (said !== undefined)
    return {
      name,
      state: 'fail',
      found: `containerd does not answer: ${said}`,
      advice: 'Its log says more: `flotilla node logs NAME --containerd`.',
    }
  if (broken === 0) return { name, state: 'ok', found: `${whole} images, all whole` }
  return {
    name,
    state: 'warn',
    found: `${broken} of ${whole + broken} images are incomplete`,
    advice: 'Pods that use them cannot start: import or pull them again.',
  }
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
