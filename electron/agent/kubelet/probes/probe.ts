/** One look at a container's health. Source: kubernetes `pkg/probe`, `kubelet/prober`. */
import type { Container, Pod, Probe } from '../../../api/core/v1/types.gen.ts'

export type ProbeKind = 'liveness' | 'readiness' | 'startup'

/** `warning` counts as success; `unknown` means that the look itself failed, and counts as nothing. */
export type ProbeOutcome = 'success' | 'warning' | 'failure' | 'unknown'

export interface ProbeAnswer {
  readonly outcome: ProbeOutcome
  /** What was seen, for people. */
  readonly output: string
}

export interface ProbeTarget {
  readonly pod: Pod
  readonly container: Container
  readonly containerId: string
  /** The pod's address; of the node with the node's network. */
  readonly address: string
}

/** Takes at most `timeoutSeconds` of the probe; never throws. */
export type ProbeRunner = (probe: Probe, target: ProbeTarget, signal: AbortSignal) => Promise<ProbeAnswer>

export const success = (output = ''): ProbeAnswer => ({ outcome: 'success', output })
export const failure = (output: string): ProbeAnswer => ({ outcome: 'failure', output })
export const unknown = (output: string): ProbeAnswer => ({ outcome: 'unknown', output })

/** Bytes of an answer that are looked at and told. */
export const MOST_OUTPUT = 10 << 10

export function timeoutOf(probe: Probe): number {
  return (probe.timeoutSeconds ?? 1) * 1000
}

/** "10.1.2.3:80", "[fd00::1]:80" */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** As Go's net package tells of a connection that failed. */
export function dialError(error: unknown, address: string): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  const why = DIAL_ERRORS[code]
  if (why !== undefined) return `dial tcp ${address}: ${why}`
  return error instanceof Error ? error.message : String(error)
}

const DIAL_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
  ECONNRESET: 'read: connection reset by peer',
}
