/** Starting the two services, by systemd or by our own keeper. */
import { FlotillaError } from '../../base/errors.ts'
import { sleep } from '../../base/clock.ts'
import { LAYOUT, UNITS } from '../layout.ts'
import { requireSuccess } from '../ssh/exec.ts'
import type { StepTools } from './step.ts'
import type { Target } from './target.ts'

/** An emulated machine on a busy computer takes two minutes for what others do in two seconds. */
const STARTED_WITHIN_MS = 180_000

/** Starts both, with new programs and configuration if they ran already, and waits until containerd answers and the agent stays up. */
export async function startServices(target: Target, tools: StepTools): Promise<void> {
  const { root, facts } = target
  const { signal } = tools
  if (!(await anyRuns(target, signal))) tools.undo((undoing) => stopServices(target, undoing))
  tools.detail('starting')
  const script = facts.systemd
    ? `systemctl daemon-reload && systemctl enable ${UNITS.containerd} ${UNITS.agent} && systemctl restart ${UNITS.containerd} && systemctl restart ${UNITS.agent}`
    : `${LAYOUT.services} restart containerd; ${LAYOUT.services} restart agent; ${LAYOUT.services} start`
  requireSuccess(
    await root.exec(script, { signal, timeoutMs: STARTED_WITHIN_MS }),
    'Could not start the services.',
    facts.systemd ? `Look there with: journalctl -u ${UNITS.containerd} -u ${UNITS.agent}` : `Look there into ${LAYOUT.logs}.`,
  )
  tools.detail('waiting for containerd')
  await untilContainerdAnswers(target, signal)
  tools.detail('waiting for the agent')
  await untilAgentStays(target, signal)
  tools.detail(facts.systemd ? 'started by systemd' : "started by Flotilla's keeper")
}

export async function stopServices({ root, facts }: Pick<Target, 'root' | 'facts'>, signal?: AbortSignal): Promise<void> {
  await root.exec(
    facts.systemd ? `systemctl disable --now ${UNITS.agent} ${UNITS.containerd}` : `[ ! -x ${LAYOUT.services} ] || ${LAYOUT.services} stop`,
    { signal, timeoutMs: 90_000 },
  )
}

async function anyRuns({ root, facts }: Target, signal: AbortSignal): Promise<boolean> {
  const script = facts.systemd
    ? `systemctl is-active ${UNITS.containerd} ${UNITS.agent} | grep -qx active`
    : `${LAYOUT.services} status | grep -q ' running '`
  return (await root.exec(script, { signal, timeoutMs: 60_000 })).code === 0
}

async function untilContainerdAnswers(target: Target, signal: AbortSignal): Promise<void> {
  const { root, clock } = target
  const start = clock.monotonic()
  for (;;) {
    // Asked there again and again: a round trip may take longer than containerd.
    const { code } = await root.exec(
      `turns=0
while ! ctr -a ${LAYOUT.containerdSocket} version >/dev/null 2>&1; do turns=$((turns + 1)); [ $turns -lt 20 ] || exit 1; sleep 0.1; done`,
      { signal, timeoutMs: 180_000 },
    )
    if (code === 0) return
    if (clock.monotonic() - start > STARTED_WITHIN_MS) throw await notUp(target, 'containerd', signal)
  }
}

/** How many processes of the agent are seen, or how often none, before that is taken for an answer. */
const ENOUGH_STARTS = 3
const ENOUGH_MISSES = 5

/** An agent that ends at once is started again by its keeper: it must be the same process twice. */
async function untilAgentStays(target: Target, signal: AbortSignal): Promise<void> {
  const { root, clock, facts } = target
  const start = clock.monotonic()
  const pid = facts.systemd
    ? `systemctl show -p MainPID --value ${UNITS.agent}`
    : `${LAYOUT.services} status | sed -n 's/^agent running //p'`
  let before: string | null = null
  const seen = new Set<string>()
  let misses = 0
  for (;;) {
    const { stdout } = await root.exec(pid, { signal, timeoutMs: 60_000 })
    const now = /^[1-9]\d*$/.exec(stdout.trim())?.[0] ?? null
    if (now !== null && now === before) return
    before = now
    if (now === null) misses++
    else seen.add(now)
    if (seen.size >= ENOUGH_STARTS || misses >= ENOUGH_MISSES || clock.monotonic() - start > STARTED_WITHIN_MS)
      throw await notUp(target, 'agent', signal)
    await sleep(clock, 700, signal)
  }
}

/** The last lines that a service printed. */
export async function lastWords(
  { root, facts }: Pick<Target, 'root' | 'facts'>,
  service: 'containerd' | 'agent',
  signal?: AbortSignal,
): Promise<string> {
  const { stdout } = await root.exec(
    facts.systemd ? `journalctl -q -o cat -n 5 -u ${UNITS[service]}` : `tail -n 5 ${LAYOUT.logs}/${service}.log 2>/dev/null`,
    { signal, timeoutMs: 60_000 },
  )
  return stdout.trim()
}

async function notUp(target: Target, service: 'containerd' | 'agent', signal: AbortSignal): Promise<FlotillaError> {
  const words = await lastWords(target, service, signal)
  return new FlotillaError('REMOTE_COMMAND_FAILED', {
    what: `${service === 'agent' ? "Flotilla's agent" : "Flotilla's containerd"} does not stay up on ${target.name}.`,
    why: words ? `It printed last: ${words}` : 'It printed nothing.',
    next: target.facts.systemd ? `Look there with: journalctl -u ${UNITS[service]}` : `Look there into ${LAYOUT.logs}/${service}.log.`,
  })
}
