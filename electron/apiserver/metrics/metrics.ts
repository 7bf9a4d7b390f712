/** Counters and histograms in Prometheus' text format (version 0.0.4), under the names that upstream's dashboards ask for. */

type Labels = Readonly<Record<string, string>>

/** Bounds in seconds, as upstream's `apiserver_request_duration_seconds`. */
const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

interface Series {
  /** As they are shown. */
  readonly labels: string
  readonly counts: number[]
  sum: number
  count: number
  readonly codes: Map<number, number>
}

export interface Gauge {
  readonly name: string
  readonly help: string
  /** One value for each set of labels. */
  readonly read: () => Iterable<readonly [Labels, number]>
}

export class Metrics {
  readonly #series = new Map<string, Series>()
  readonly #gauges: Gauge[] = []

  gauge(gauge: Gauge): void {
    this.#gauges.push(gauge)
  }

  /** One answered request. `key` tells its series from others; `labels` are asked for when the series is new. */
  observe(key: string, labels: () => Labels, code: number, seconds: number): void {
    let series = this.#series.get(key)
    if (!series) {
      series = { labels: text(labels()), counts: new Array<number>(BUCKETS.length).fill(0), sum: 0, count: 0, codes: new Map() }
      this.#series.set(key, series)
    }
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    series.sum += seconds
    series.count++
    for (let i = 0; i < BUCKETS.length; i++) {
      if (seconds > (BUCKETS[i] ?? 0)) continue
      series.counts[i] = (series.counts[i] ?? 0) + 1
      break
    }
  }

  render(): string {
    const lines: string[] = []
    const head = (name: string, help: string, type: string) => lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    head('apiserver_request_total', 'Requests answered, by verb, resource and HTTP status code.', 'counter')
    for (const { labels, codes } of this.#series.values()) {
      for (const [code, value] of codes) lines.push(`apiserver_request_total{${labels},code="${code}"} ${value}`)
    }
    head('apiserver_request_duration_seconds', 'How long answers took; of watches until they began.', 'histogram')
    for (const { labels, counts, sum, count } of this.#series.values()) {
      const name = 'apiserver_request_duration_seconds'
      let below = 0
      counts.forEach((n, i) => lines.push(`${name}_bucket{${labels},le="${BUCKETS[i]}"} ${(below += n)}`))
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
