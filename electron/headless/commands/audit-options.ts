/** The options of the audit log, named as kube-apiserver names its own. */
import { resolve } from 'node:path'
import type { AuditConfig } from '../../plane/audit.ts'
import type { Args, OptionSpec } from '../command.ts'

export const AUDIT_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'audit-policy-file': {
    type: 'string',
    help: 'audit.k8s.io/v1 Policy: which requests are noted (default: the state folder’s audit-policy.yaml)',
  },
  'audit-log-path': {
    type: 'string',
    help: 'file of the audit log, or - for standard output (default: audit/audit.log in the state folder)',
  },
  'audit-log-format': { type: 'string', help: 'json' },
  'audit-log-maxsize': { type: 'string', help: 'MiB after which a new log is begun (default: 100)' },
  'audit-log-maxbackup': { type: 'string', help: 'older logs that are kept; 0 keeps all (default: 10)' },
  'audit-log-maxage': { type: 'string', help: 'days for which older logs are kept; 0: for ever (default: 0)' },
  'audit-webhook-config-file': { type: 'string', help: 'kubeconfig of a server that gets the events in batches' },
}

export function auditOf(args: Args): AuditConfig {
  args.choice('audit-log-format', ['json'])
  const path = (name: string) => {
    const given = args.text(name)
    return given === undefined || given === '-' ? given : resolve(given)
  }
  const [policyFile, logPath, webhookConfigFile] = ['policy-file', 'log-path', 'webhook-config-file'].map((name) => path(`audit-${name}`))
  const logMaxSizeMb = args.integer('audit-log-maxsize', 0, 1_000_000)
  const logMaxBackups = args.integer('audit-log-maxbackup', 0, 1_000_000)
  const logMaxDays = args.integer('audit-log-maxage', 0, 1_000_000)
  return {
    ...(policyFile === undefined ? {} : { policyFile }),
    ...(logPath === undefined ? {} : { logPath }),
    ...(webhookConfigFile === undefined ? {} : { webhookConfigFile }),
    ...(logMaxSizeMb === undefined ? {} : { logMaxSizeMb }),
    ...(logMaxBackups === undefined ? {} : { logMaxBackups }),
    ...(logMaxDays === undefined ? {} : { logMaxDays }),
  }
}
