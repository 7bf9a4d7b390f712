/** The audit log that flags or the state folder ask for. */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Audit } from '../apiserver/audit/audit.ts'
import { Losses, type Backend } from '../apiserver/audit/backend.ts'
import { FileTarget, LogBackend, streamTarget } from '../apiserver/audit/log-writer.ts'
import { parsePolicy } from '../apiserver/audit/policy-file.ts'
import type { Policy } from '../apiserver/audit/policy.ts'
import { BATCH, WebhookBackend } from '../apiserver/audit/webhook-backend.ts'
import type { Clock } from '../base/clock.ts'
import { FlotillaError, messageOf, systemCode } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import { readKubeconfig } from '../client/kubeconfig.ts'

/** Named as kube-apiserver's flags. */
export interface AuditConfig {
  /** Absent: the state folder's `audit-policy.yaml`, if there is one. */
  readonly policyFile?: string
  /** A file, or "-" for standard output; absent: one in the state folder, unless there is a webhook. */
  readonly logPath?: string
  readonly logMaxSizeMb?: number
  readonly logMaxBackups?: number
  readonly logMaxDays?: number
  /** A kubeconfig whose server gets the events. */
  readonly webhookConfigFile?: string
}

export interface AuditPlaces {
  readonly policy: string
  readonly log: string
}

export interface AuditDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Of a log about which nothing else was said; 0 stands for no limit. */
const LOG_DEFAULTS = { maxSizeMb: 100, maxBackups: 10, maxDays: 0 }

/** Null if nothing is to be noted. Throws FlotillaError `INVALID_INPUT` that names the file which cannot be used. */
export async function openAudit(config: AuditConfig, places: AuditPlaces, deps: AuditDeps): Promise<Audit | null> {
  const { clock, random, logger } = deps
  const policy = await readPolicy(config, places.policy)
  if (!policy) return null
  await using undo = new AsyncDisposableStack()
  const losses = new Losses(logger)
  const backends: Backend[] = []
  if (config.webhookConfigFile) {
    const target = await webhookTarget(config.webhookConfigFile)
    backends.push(undo.use(new WebhookBackend(target, BATCH, { clock, random, losses })))
  }
  const path = config.logPath ?? (config.webhookConfigFile ? null : places.log)
  if (path !== null)
    backends.push(undo.use(new LogBackend(path === '-' ? streamTarget(process.stdout) : await logFile(path, config, clock), losses)))
  undo.move()
  return new Audit({ policy, backends, losses, clock, random })
}

async function readPolicy(config: AuditConfig, usual: string): Promise<Policy | null> {
  const file = config.policyFile ?? usual
  try {
    return parsePolicy(await readFile(file, 'utf8'), file)
  } catch (error) {
    if (error instanceof FlotillaError) throw error
    const named = config.policyFile !== undefined
    if (systemCode(error) !== 'ENOENT' || named)
      throw unusable(`The audit policy ${file} cannot be read.`, error, 'Name a file that can be read.')
    if (config.logPath === undefined && config.webhookConfigFile === undefined) return null
    throw new FlotillaError('INVALID_INPUT', {
      what: 'The audit log cannot be kept.',
      why: 'There is no policy that says what to note.',
      next: `Name one with --audit-policy-file, or write it to ${usual}.`,
    })
  }
}

async function logFile(path: string, config: AuditConfig, clock: Clock): Promise<FileTarget> {
  const { maxSizeMb, maxBackups, maxDays } = LOG_DEFAULTS
  const target = new FileTarget({
    path,
    maxBytes: (config.logMaxSizeMb || maxSizeMb) * 1024 * 1024,
    maxBackups: config.logMaxBackups ?? maxBackups,
    maxDays: config.logMaxDays ?? maxDays,
    clock,
  })
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await target.open()
    return target
  } catch (error) {
    throw unusable(`The audit log ${path} cannot be written to.`, error, 'Name a file that you may write to, with --audit-log-path.')
  }
}

async function webhookTarget(file: string) {
  try {
    const { server, ca, servername, identity } = await readKubeconfig(file)
    return { server, ca, servername, ...identity }
  } catch (error) {
    if (error instanceof FlotillaError) throw error
    throw unusable(`The audit webhook's kubeconfig ${file} cannot be read.`, error, 'Name a file that can be read.')
  }
}

function unusable(what: string, error: unknown, next: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', { what, why: `${messageOf(error)}.`, next, cause: error })
}
