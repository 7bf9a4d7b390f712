/** Changes of Jobs and CronJobs. */
import type { CronJob } from '../../../electron/api/batch/v1/types.gen.ts'
import { pathOf } from '../../../electron/api/kind.ts'
import { t } from '../i18n/index.ts'
import { FIELD_MANAGER, MERGE_PATCH, pathTo } from '../kube/api.ts'
import { CRON_JOBS, fullName, JOBS, kubectlName, type ObjectRef } from '../kube/resources.ts'
import { inNamespace, type Plan, type Step } from './plan.ts'

/** The longest name that a Job can have, whose pods' names are made of it. */
const LONGEST = 63

/** As `kubectl create job --from`: the job belongs to its CronJob, and says that a person started it. `at` in milliseconds. */
export function runNow(cronJob: CronJob, at: number): Plan {
  const { name, namespace, uid } = cronJob.metadata
  const { metadata: template, spec } = cronJob.spec.jobTemplate
  const { labels, annotations } = { ...template }
  const suffix = `-manual-${Math.floor(at / 1000).toString(36)}`
  const job = name.slice(0, LONGEST - suffix.length) + suffix
  const body = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: job,
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, 'cronjob.kubernetes.io/instantiate': 'manual' },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid, controller: true }],
    },
    spec,
  }
  return {
    done: t('act.run.done', { job }),
    failed: t('act.run.failed', { name: fullName(cronJob.metadata) }),
    steps: [
      {
        call: { method: 'POST', path: pathOf(JOBS, namespace), query: { fieldManager: FIELD_MANAGER }, body },
        kubectl: `kubectl create job ${job} --from=${kubectlName(CRON_JOBS)}/${name}${inNamespace(namespace)}`,
      },
    ],
  }
}

/** Stops a CronJob from starting jobs, or a Job's pods, until it is told to go on. */
export function setSuspended(ref: ObjectRef, suspended: boolean): Plan {
  const step = (suspend: boolean): Step => ({
    call: {
      method: 'PATCH',
      path: pathTo(ref),
      query: { fieldManager: FIELD_MANAGER },
      contentType: MERGE_PATCH,
      body: { spec: { suspend } },
    },
    kubectl: `kubectl patch ${kubectlName(ref.resource)}/${ref.name}${inNamespace(ref.namespace)} --type=merge -p '${JSON.stringify({ spec: { suspend } })}'`,
  })
  const name = fullName(ref)
  const done = (on: boolean) => t(on ? 'act.suspend.done' : 'act.unsuspend.done', { name })
  const failed = (on: boolean) => t(on ? 'act.suspend.failed' : 'act.unsuspend.failed', { name })
  return {
    done: done(suspended),
    failed: failed(suspended),
    steps: [step(suspended)],
    undo: { done: done(!suspended), failed: failed(!suspended), steps: [step(!suspended)] },
  }
}
