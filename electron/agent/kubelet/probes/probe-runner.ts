import type { Clock } from '../../../base/clock.ts'
import type { Container } from '../../../api/core/v1/types.gen.ts'
import { goQuote } from '../../../api/values/field-error.ts'
import type { Cri } from '../../runtime/cri.ts'
import { hasCode } from '../../runtime/runtime-error.ts'
import { expand } from '../containers/expand.ts'
import { resolvePort } from '../containers/ports.ts'
import { httpRequestOf, probeHttp } from './http-probe.ts'
import { probeGrpc, probeTcp } from './network-probes.ts'
import { failure, MOST_OUTPUT, success, timeoutOf, unknown } from './probe.ts'
import type { ProbeAnswer, ProbeRunner, ProbeTarget } from './probe.ts'

export const PROBE_USER_AGENT = 'kube-probe/1.36'

/** Probes over the network come from this node; commands run in the container. */
export function createProbeRunner({ cri, clock }: { cri: Cri; clock: Clock }): ProbeRunner {
  return async (probe, target, signal) => {
    const { container, address } = target
    const timeout = timeoutOf(probe)
    if (probe.exec) return probeExec(probe.exec.command ?? [], probe.timeoutSeconds ?? 1, target, cri, signal)
    if (probe.httpGet) {
      const request = httpRequestOf(probe.httpGet, container, address, PROBE_USER_AGENT)
      return request ? probeHttp(request, timeout, clock, signal) : unknown(noPort(probe.httpGet.port))
    }
    if (probe.tcpSocket) {
      const port = resolvePort(probe.tcpSocket.port, container)
      return port === null ? unknown(noPort(probe.tcpSocket.port)) : probeTcp(probe.tcpSocket.host || address, port, timeout, clock, signal)
    }
    if (probe.grpc) return probeGrpc(address, probe.grpc.port, probe.grpc.service ?? '', timeout, clock, signal)
    return unknown('missing probe handler')
  }
}

function noPort(port: number | string): string {
  return `strconv.Atoi: parsing ${goQuote(String(port))}: invalid syntax`
}

async function probeExec(
  command: readonly string[],
  timeoutSeconds: number,
  { container, containerId }: ProbeTarget,
  cri: Cri,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const words = command.map((word) => expand(word, (name) => literal(container, name)))
  try {
    const { stdout, stderr, exitCode } = await cri.execSync(containerId, words, timeoutSeconds, signal)
    const output = Buffer.concat([stdout, stderr]).subarray(0, MOST_OUTPUT).toString()
    return exitCode === 0 ? success(output) : failure(output)
  } catch (error) {
    if (hasCode(error, 'DeadlineExceeded'))
      return failure(`command timed out: ${goQuote(words.join(' '))} timed out after ${timeoutSeconds}s`)
    return unknown(error instanceof Error ? error.message : String(error))
  }
}

/** Only variables with a value written in the pod are known here. */
function literal({ env }: Container, name: string): string | undefined {
  return env?.findLast((variable) => variable.name === name && variable.valueFrom === undefined)?.value
}
