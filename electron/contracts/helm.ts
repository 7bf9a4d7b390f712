/** Helm through the user's own program, on the computer that runs the control plane. Releases themselves are Secrets, read as such. */
import * as v from 'valibot'
import { call, nothing, stream } from './channel.ts'

/** As Helm has them: a DNS subdomain of at most 53 characters. */
const releaseName = v.pipe(v.string(), v.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/), v.maxLength(53))
const namespace = v.pipe(v.string(), v.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/), v.maxLength(63))
/** What follows an option or stands by itself on a command line must not pass for an option. */
const word = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(1000), v.regex(/^[^-\s][^\n\r\0]*$/))

const chartSource = v.variant('type', [
  /** A folder, or a .tgz. */
  v.object({ type: v.literal('path'), path: word }),
  v.object({
    type: v.literal('repository'),
    url: v.pipe(word, v.regex(/^https?:\/\//)),
    chart: word,
    version: v.optional(word),
  }),
  v.object({ type: v.literal('oci'), reference: v.pipe(word, v.regex(/^oci:\/\//)), version: v.optional(word) }),
  /** The chart that a revision of the release was made from. */
  v.object({ type: v.literal('kept'), revision: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
])

const release = { name: releaseName, namespace }
const waiting = { wait: v.boolean(), timeoutSeconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400)) }
const chartOptions = {
  ...release,
  chart: chartSource,
  /** YAML: all that differs from the chart's own values. */
  values: v.optional(v.string()),
}

const operation = v.variant('type', [
  v.object({ type: v.literal('install'), ...chartOptions, ...waiting, undoOnFailure: v.boolean(), createNamespace: v.boolean() }),
  v.object({ type: v.literal('upgrade'), ...chartOptions, ...waiting, undoOnFailure: v.boolean(), forceConflicts: v.boolean() }),
  v.object({
    type: v.literal('rollback'),
    ...release,
    revision: v.pipe(v.number(), v.integer(), v.minValue(1)),
    ...waiting,
    forceConflicts: v.boolean(),
  }),
  v.object({ type: v.literal('uninstall'), ...release, ...waiting, keepHistory: v.boolean() }),
  v.object({ type: v.literal('test'), ...release, timeoutSeconds: waiting.timeoutSeconds }),
])

export const HELM_CHANNELS = {
  /** The `helm` on this computer; without `program`, `problem` says what is wrong or missing. */
  'helm.info': call(
    nothing,
    v.object({
      program: v.optional(v.object({ path: v.string(), version: v.string(), major: v.number() })),
      problem: v.optional(v.object({ what: v.string(), why: v.string(), next: v.string() })),
    }),
  ),
  /** Reads a chart without installing it. Only a repository's or registry's needs the program and a network. */
  'helm.chart': call(
    v.object({ chart: chartSource, ...v.partial(v.object(release)).entries }),
    v.object({
      name: v.string(),
      version: v.string(),
      appVersion: v.optional(v.string()),
      description: v.optional(v.string()),
      deprecated: v.boolean(),
      /** Its values.yaml, with comments. */
      values: v.string(),
      /** Its values.schema.json. */
      schema: v.optional(v.unknown()),
      readme: v.optional(v.string()),
      /** Charts it needs that are not inside it. */
      missing: v.array(v.string()),
    }),
  ),
  /** The charts that a repository's index lists, each with its versions, newest first. */
  'helm.repository': call(
    v.object({ url: v.pipe(word, v.regex(/^https?:\/\//)) }),
    v.object({
      charts: v.array(
        v.object({
          name: v.string(),
          description: v.optional(v.string()),
          versions: v.array(v.object({ version: v.string(), appVersion: v.optional(v.string()) })),
        }),
      ),
    }),
  ),
  /** What an installation or upgrade would make, asked of the API server; changes nothing. */
  'helm.preview': call(operation, v.object({ manifest: v.string(), notes: v.string(), hooks: v.array(v.string()) })),
  /** The command line that `helm.run` would run, as a person would type it. */
  'helm.command': call(operation, v.object({ command: v.string() })),
  /** Runs it: the command line, then what it says, then how it ended. Cancelling interrupts Helm, which marks the release as failed. */
  'helm.run': stream(
    operation,
    v.never(),
    v.variant('type', [
      v.object({ type: v.literal('command'), command: v.string() }),
      v.object({ type: v.literal('phase'), phase: v.picklist(['prepare', 'apply', 'wait', 'delete']), detail: v.string() }),
      v.object({ type: v.literal('line'), error: v.boolean(), text: v.string() }),
      v.object({ type: v.literal('exit'), code: v.nullable(v.number()) }),
    ]),
  ),
} as const

export type HelmOperation = v.InferOutput<typeof operation>
export type ChartSource = v.InferOutput<typeof chartSource>
