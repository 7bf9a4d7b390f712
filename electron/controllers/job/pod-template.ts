/** Pods of a job as they are made. Source: kubernetes `pkg/controller/job` manageJob and `indexed_job_utils.go`. */
import { job as jobKind } from '../../api/batch/v1/job.ts'
import type { Job } from '../../api/batch/v1/types.gen.ts'
import type { Container, Pod, PodTemplateSpec } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { podFromTemplate } from '../workload/pod-control.ts'
import { COMPLETION_INDEX, failuresAfter, INDEX_FAILURES, INDEX_IGNORED_FAILURES, TRACKING } from './pod-facts.ts'

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'
/** What the server completes names with needs the rest of a label. */
const MAX_PREFIX = 58

/** `replaced`: the failed pod of the index whose failures the new one goes on counting. */
export function podOfJob(job: Job, index: number | null, replaced: Pod | undefined): Draft<Pod> {
  const { metadata, spec } = job.spec.template
  const finalizers = [...new Set([...(metadata.finalizers ?? []), TRACKING])]
  if (index === null) return podFromTemplate({ metadata: { ...metadata, finalizers }, spec }, job, jobKind)
  const template: Draft<PodTemplateSpec> = {
    metadata: {
      ...metadata,
      finalizers,
      labels: { ...metadata.labels, [COMPLETION_INDEX]: String(index) },
      annotations: { ...metadata.annotations, [COMPLETION_INDEX]: String(index), ...failureAnnotations(job, replaced) },
    },
    spec: {
      ...spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: spec.containers.map(withIndexVariable),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(withIndexVariable) } : {}),
    },
  }
  const pod = podFromTemplate(template, job, jobKind)
  const suffix = `-${index}-`
  return { ...pod, metadata: { ...pod.metadata, generateName: `${job.metadata.name.slice(0, MAX_PREFIX - suffix.length)}${suffix}` } }
}

function failureAnnotations(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (job.spec.backoffLimitPerIndex === undefined) return {}
  const { counted, ignored } = failuresAfter(replaced, job)
  return { [INDEX_FAILURES]: String(counted), ...(ignored > 0 ? { [INDEX_IGNORED_FAILURES]: String(ignored) } : {}) }
}

function withIndexVariable(container: Container): Container {
  if (container.env?.some(({ name }) => name === INDEX_VARIABLE)) return container
  const valueFrom = { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } }
  return { ...container, env: [...(container.env ?? []), { name: INDEX_VARIABLE, valueFrom }] }
}
