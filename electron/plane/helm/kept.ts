/** The chart of a revision, as the release keeps it, written out again: so that values can be changed where the chart itself is not at hand. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { stringify } from 'yaml'
import { decodeRelease, fileText, type HelmFile, type HelmRelease } from '../../api/helm/release.ts'
import { secret } from '../../api/core/v1/secret.ts'
import { FlotillaError } from '../../base/errors.ts'
import type { Client } from '../../client/client.ts'

/** Rejects with StatusError where there is no such revision, else with FlotillaError HELM_FAILED. */
export async function readRelease(client: Client, at: { namespace: string; name: string; revision: number }): Promise<HelmRelease> {
  const { namespace, name, revision } = at
  const { data } = await client.get(secret, { namespace, name: `sh.helm.release.v1.${name}.v${revision}` })
  // A Secret's data is base64 of bytes; what Helm put there is text.
  return decodeRelease(data?.['release'] ?? '').catch((error: unknown) => {
    throw new FlotillaError('HELM_FAILED', {
      what: `Revision ${revision} of ${namespace}/${name} cannot be read.`,
      why: 'Its Secret holds no release of Helm.',
      next: 'Choose another revision.',
      cause: error,
    })
  })
}

/** Resolves with the chart's folder, inside `folder`. */
export async function writeKept({ chart }: HelmRelease, folder: string): Promise<string> {
  const { metadata, values, schema, templates, files } = chart
  if (metadata.dependencies?.length)
    throw new FlotillaError('HELM_FAILED', {
      what: `The chart ${metadata.name} is not kept whole.`,
      why: `Helm does not keep the charts it depends on: ${metadata.dependencies.map(({ name }) => name).join(', ')}.`,
      next: 'Choose the chart from where it was installed: its folder, archive, repository or registry.',
    })
  const root = join(folder, metadata.name)
  const put = async (name: string, text: string) => {
    const path = normalize(join(root, name))
    if (!path.startsWith(root + sep)) return
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { mode: 0o600 })
  }
  await put('Chart.yaml', stringify(metadata))
  await put('values.yaml', stringify(values ?? {}))
  if (schema) await put('values.schema.json', fileText(schema))
  for (const { name, data } of [...(templates ?? []), ...(files ?? [])] satisfies HelmFile[]) await put(name, fileText(data))
  return root
}
