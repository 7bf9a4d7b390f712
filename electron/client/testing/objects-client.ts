import type { Kind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { notFound } from '../../machinery/status.ts'
import type { Client, Name } from '../client.ts'

/** A client that only gets, from objects that a test changes at will. */
export class ObjectsClient {
  readonly objects: KubeObject[] = []
  gets = 0

  get client(): Client {
    return {
      get: async <T extends KubeObject>(kind: Kind<T>, { name, namespace }: Name): Promise<T> => {
        this.gets++
        const found = this.objects.find((o) => o.kind === kind.kind && o.metadata.name === name && o.metadata.namespace === namespace)
        if (!found) throw notFound({ group: kind.group, resource: kind.resource }, name)
        return found as T
      },
    } as unknown as Client
  }

  /** Adds an object, with a uid and a resource version of its own unless it has them. */
  add(object: {
    apiVersion?: string
    kind: string
    metadata: Partial<KubeObject['metadata']> & { name: string }
    [field: string]: unknown
  }): KubeObject {
    const metadata = {
      uid: `uid-${this.objects.length}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...object.metadata,
    }
    const whole = { apiVersion: 'v1', ...object, metadata }
    this.objects.push(whole)
    return whole
  }

  remove(object: KubeObject): void {
    this.objects.splice(this.objects.indexOf(object), 1)
  }
}
