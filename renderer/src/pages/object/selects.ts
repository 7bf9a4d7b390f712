import type { Service } from '../../../../electron/api/core/v1/types.gen.ts'

/** Whether a Service sends traffic to pods with these labels. One without a selector sends none by itself. */
export function selects(service: Service, labels: Readonly<Record<string, string>> | undefined): boolean {
  const wanted = Object.entries(service.spec.selector ?? {})
  return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value)
}
