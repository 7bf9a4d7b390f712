/** How this process itself does, in Prometheus' text. Names of the Prometheus client libraries. */
export function processMetrics(): string {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const families = [
    ['process_cpu_seconds_total', 'counter', 'CPU time of the agent in seconds', (user + system) / 1e6],
    ['process_resident_memory_bytes', 'gauge', 'Resident memory of the agent in bytes', rss],
    ['nodejs_heap_size_used_bytes', 'gauge', 'JavaScript heap of the agent in bytes', heapUsed],
    ['process_start_time_seconds', 'gauge', 'Start of the agent since the epoch in seconds', performance.timeOrigin / 1000],
  ] as const
  return families.map(([name, type, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`).join('')
}
