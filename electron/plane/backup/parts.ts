import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** A part of a state folder that a cluster cannot do without, and that no snapshot has. */
export interface StatePart {
  /** Relative to the state folder. */
  readonly name: string
  /** What it is, and what is lost without it. */
  readonly about: string
}

const PARTS: readonly StatePart[] = [
  { name: 'pki', about: 'the certificate authority and keys: without them its nodes, kubeconfigs and service account tokens are refused' },
  { name: 'ssh', about: 'the key that machines are reached with, and their host keys: without them each machine has to be added again' },
  { name: 'cluster.json', about: 'its id, name and port: without it kubeconfigs name the wrong port' },
]

/** What must be kept beside a snapshot of this cluster. */
export function partsBeside(stateDir: string): StatePart[] {
  return PARTS.filter(({ name }) => existsSync(join(stateDir, name)))
}

/** What is not in a state folder that a snapshot was restored into. */
export function missingParts(stateDir: string): StatePart[] {
  return PARTS.filter(({ name }) => !existsSync(join(stateDir, name)))
}
