/** The counts that are not 0: as Kubernetes writes counts that are not pointers, so that what is written compares with what is read. */
export function withoutZeros<T extends Readonly<Record<string, number | undefined>>>(counts: T): Partial<T> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count)) as Partial<T>
}
