/** Counters and histograms in Prometheus' text format (version 0.0.4), under the names that upstream's dashboards ask for. */

type Labels = Readonly<Record<string, string>>

/** Bounds in seconds, as upstream's `apiserver_request_duration_seconds`. */
const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

interface Histogram {
  readonly counts: number[]
  sum: number
  count: number
}

export interface Gauge {
  readonly name: string
  readonly help: string
  /** One value for each set of labels. */
  readonly read: () => Iterable<readonly [Labels, number]>
}

export class Metrics {
  readonly #requests = new Map<string, number>()
  readonly #durations = new Map<string, Histogram>()
  readonly #gauges: Gauge[] = []

  gauge(gauge: Gauge): void {
    this.#gauges.push(gauge)
  }

  /** One answered request. `what` tells verb, group, version, resource, subresource and scope. */
  observe(what: Labels, code: number, seconds: number): void {
    const key = text(what)
    const counted = `${key},code="${code}"`
    this.#requests.set(counted, (this.#requests.get(counted) ?? 0) + 1)
    let histogram = this.#durations.get(key)
    if (!histogram) {
      histogram = { counts: new Array<number>(BUCKETS.length).fill(0), sum: 0, count: 0 }
      this.#durations.set(key, histogram)
    }
    histogram.sum += seconds
    histogram.count++
    for (let i = BUCKETS.length - 1; i >= 0 && seconds <= (BUCKETS[i] ?? 0); i--) histogram.counts[i] = (histogram.counts[i] ?? 0) + 1
  }

  render(): string {
    const lines: string[] = []
    const head = (name: string, help: string, type: string) => lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    head('apiserver_request_total', 'Requests answered, by verb, resource and HTTP status code.', 'counter')
    for (const [labels, value] of this.#requests) lines.push(`apiserver_request_total{${labels}} ${value}`)
    head('apiserver_request_duration_seconds', 'How long answers took; of watches until they began.', 'histogram')
    for (const [labels, { counts, sum, count }] of this.#durations) {
      const name = 'apiserver_request_duration_seconds'
      counts.forEach((n, i) => lines.push(`${name}_bucket{${labels},le="${BUCKETS[i]}"} ${n}`))
      lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`)
    }
    for (const { name, help, read } of this.#gauges) {
      head(name, help, 'gauge')
      for (const [labels, value] of read()) {
        const shown = text(labels)
        lines.push(`${name}${shown ? `{${shown}}` : ''} ${value}`)
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
