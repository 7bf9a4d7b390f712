/** `fieldValidation=Strict` on built-in kinds. */
import assert from 'node:assert/strict'
import type { Behaviour, Behaviours } from '../lib/behaviour.ts'
import { send } from '../lib/raw.ts'

/** A Deployment as text, because JSON.stringify writes no key twice. */
const deploymentText = (name: string, metadata: string, spec: string) => `{
  "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "${name}"${metadata}},
  "spec": {"selector": {"matchLabels": {"app": "a"}}${spec},
    "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "main", "image": "image"}]}}}
}`

function refused(metadata: string, spec: string, ...words: string[]): Behaviour {
  return async ({ client, namespace, unique }) => {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`
    const text = deploymentText(unique('strict'), metadata, spec)
    const answer = await send(client, 'POST', `${path}?fieldValidation=Strict`, text)
    assert.equal(answer.status, 400)
    const { message } = answer.json<{ message: string }>()
    for (const word of ['strict decoding error', ...words]) assert.ok(message.includes(word), `"${message}" lacks ${word}`)
    const lax = await send(client, 'POST', `${path}?fieldValidation=Ignore&dryRun=All`, text)
    assert.equal(lax.status, 201, 'it is refused for another reason than its fields')
  }
}

export const behaviours: Behaviours = {
  'field-validation-typed-unknown-duplicate': refused(
    '',
    ', "unknownField": "x", "replicas": 1, "replicas": 2',
    'unknown field "spec.unknownField"',
    'duplicate field "spec.replicas"',
  ),
  'field-validation-typed-unknown-metadata': refused(', "unknownMeta": "x"', '', 'unknown field "metadata.unknownMeta"'),
}
