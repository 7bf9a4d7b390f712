/** Counters and histograms in Prometheus' text format (version 0.0.4), under the names that upstream's dashboards ask for. */
import { Histogram } from './histogram.ts'

export type Labels = Readonly<Record<string, string>>

/** Bounds in seconds, as upstream's `apiserver_request_duration_seconds`. */
const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

const MUTATING: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection', 'post', 'put'])

interface Series {
  /** As they are shown. */
  readonly labels: string
  readonly seconds: Histogram
  readonly codes: Map<number, number>
}

export interface Gauge {
  readonly name: string
  readonly help: string
  /** One value for each set of labels. */
  readonly read: () => Iterable<readonly [Labels, number]>
}

/** One metric with all its series. */
export interface MetricFamily {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: Iterable<readonly [Labels, number | Histogram]>
}

/** Asked whenever somebody reads the metrics. */
export type MetricSource = () => Iterable<MetricFamily>

export class Metrics {
  readonly #series = new Map<string, Series>()
  readonly #sources: MetricSource[] = []
  readonly #connections = new Map<string, { readonly labels: Labels; count: number }>()
  #reading = 0
  #mutating = 0

  gauge({ name, help, read }: Gauge): void {
    this.add(() => [{ name, help, type: 'gauge', samples: read() }])
  }

  add(source: MetricSource): void {
    this.#sources.push(source)
  }

  /** A request is being worked on; of a watch until it has begun. */
  entered(verb: string): void {
    if (MUTATING.has(verb)) this.#mutating++
    else this.#reading++
  }

  left(verb: string): void {
    if (MUTATING.has(verb)) this.#mutating--
    else this.#reading--
  }

  /** A connection to a node, until it is disposed. */
  connected(labels: Labels): Disposable {
    const shown = text(labels)
    let known = this.#connections.get(shown)
    if (!known) this.#connections.set(shown, (known = { labels, count: 0 }))
    const own = known
    own.count++
    return {
      [Symbol.dispose]: () => {
        if (--own.count === 0) this.#connections.delete(shown)
      },
    }
  }

  get connections(): readonly (readonly [Labels, number])[] {
    return [...this.#connections.values()].map(({ labels, count }) => [labels, count] as const)
  }

  /** One answered request. `key` tells its series from others; `labels` are asked for when the series is new. */
  observe(key: string, labels: () => Labels, code: number, seconds: number): void {
    let series = this.#series.get(key)
    if (!series) this.#series.set(key, (series = { labels: text(labels()), seconds: new Histogram(BUCKETS), codes: new Map() }))
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    series.seconds.observe(seconds)
  }

  render(): string {
    const lines: string[] = []
    const head = (name: string, help: string, type: string) => lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    head('apiserver_request_total', 'Requests answered, by verb, resource and HTTP status code.', 'counter')
    for (const { labels, codes } of this.#series.values()) {
      for (const [code, value] of codes) lines.push(`apiserver_request_total{${labels},code="${code}"} ${value}`)
    }
    head('apiserver_request_duration_seconds', 'How long answers took; of watches until they began.', 'histogram')
    for (const { labels, seconds } of this.#series.values()) lines.push(...seconds.lines('apiserver_request_duration_seconds', labels))
    head('apiserver_current_inflight_requests', 'Requests that are being worked on.', 'gauge')
    lines.push(`apiserver_current_inflight_requests{request_kind="mutating"} ${this.#mutating}`)
    lines.push(`apiserver_current_inflight_requests{request_kind="readOnly"} ${this.#reading}`)
    for (const source of this.#sources) {
      for (const { name, help, type, samples } of source()) {
        head(name, help, type)
        for (const [labels, value] of samples) {
          const shown = text(labels)
          if (typeof value === 'number') lines.push(`${name}${shown ? `{${shown}}` : ''} ${value}`)
          else lines.push(...value.lines(name, shown))
        }
      }
    }
    return `${lines.join('\n')}\n`
  }
}

function text(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`)
    .join(',')
}
