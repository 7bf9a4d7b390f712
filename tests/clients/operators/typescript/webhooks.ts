/** The webhooks: conversion between the two versions, defaults, and rules that a schema cannot say. */
import {
  AdmissionregistrationV1Api,
  ApiException,
  ApiextensionsV1Api,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
} from '@kubernetes/client-node'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { PLURAL, VERSION, type Settings, type Site } from './site.ts'

interface OldSite {
  apiVersion: string
  spec: { title?: string; text: string; copies?: number }
}

interface Review {
  apiVersion: string
  kind: string
  request: {
    uid: string
    /** Of conversion. */
    desiredAPIVersion?: string
    objects?: (OldSite | Site)[]
    /** Of admission. */
    object?: Site
    oldObject?: Site
    operation?: string
  }
}

type Answer = Record<string, unknown>

function convert({ desiredAPIVersion = '', objects = [] }: Review['request']): Answer {
  const toNew = desiredAPIVersion.endsWith(`/${VERSION}`)
  const convertedObjects = objects.map((object) => {
    if (object.apiVersion === desiredAPIVersion) return object
    const spec = toNew ? newSpec((object as OldSite).spec) : oldSpec((object as Site).spec)
    return { ...object, apiVersion: desiredAPIVersion, spec }
  })
  return { result: { status: 'Success' }, convertedObjects }
}

const newSpec = ({ title, text, copies }: OldSite['spec']): Site['spec'] => ({
  page: { ...(title === undefined ? {} : { title }), text },
  ...(copies === undefined ? {} : { replicas: copies }),
})

const oldSpec = ({ page: { title, text }, replicas }: Site['spec']): OldSite['spec'] => ({
  ...(title === undefined ? {} : { title }),
  text,
  ...(replicas === undefined ? {} : { copies: replicas }),
})

function mutate({ object }: Review['request']): Answer {
  if (!object || object.spec.page.title !== undefined) return { allowed: true }
  const title = object.metadata?.name ?? object.metadata?.generateName
  const patch = [{ op: 'add', path: '/spec/page/title', value: title }]
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
}

function validate({ object, oldObject, operation }: Review['request']): Answer {
  const refuse = (message: string) => ({ allowed: false, status: { code: 422, reason: 'Invalid', message } })
  if (operation === 'DELETE') {
    const kept = oldObject?.metadata?.annotations?.['sites.example.com/keep'] === 'true'
    return kept ? { allowed: false, status: { code: 403, message: 'the site is to be kept' } } : { allowed: true }
  }
  const page = object?.spec.page
  if (/<script/i.test(page?.text ?? '')) return refuse('spec.page.text: scripts are not served')
  return { allowed: true, ...(page?.text ? {} : { warnings: ['spec.page.text is empty: visitors see a blank page'] }) }
}

const HOOKS: Readonly<Record<string, (request: Review['request']) => Answer>> = {
  '/convert': convert,
  '/mutate': mutate,
  '/validate': validate,
}

/** Serves on a free port of the loopback; resolves with the URL. */
export async function serveWebhooks({ tlsDir }: Settings): Promise<string> {
  const [cert, key] = await Promise.all(['tls.crt', 'tls.key'].map((name) => readFile(join(tlsDir, name))))
  const server = createServer({ ...(cert && key ? { cert, key } : {}) }, (incoming, answer) => {
    const serve = async () => {
      const { request, apiVersion, kind } = (await json(incoming)) as Review
      const hook = HOOKS[new URL(incoming.url ?? '/', 'https://hooks').pathname]
      if (!hook) throw new Error(`there is no webhook at ${incoming.url}`)
      answer.setHeader('content-type', 'application/json')
      answer.end(JSON.stringify({ apiVersion, kind, response: { uid: request.uid, ...hook(request) } }))
    }
    serve().catch((error: unknown) => {
      answer.statusCode = 500
      answer.end(String(error))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Has the API server call the webhooks at `url`. */
export async function registerWebhooks(config: KubeConfig, { group, tlsDir }: Settings, url: string): Promise<void> {
  const caBundle = (await readFile(join(tlsDir, 'ca.crt'))).toString('base64')
  const client = (path: string) => ({ url: url + path, caBundle })
  const strategy = { webhook: { clientConfig: client('/convert'), conversionReviewVersions: ['v1'] }, strategy: 'Webhook' }
  await config
    .makeApiClient(ApiextensionsV1Api)
    .patchCustomResourceDefinition(
      { name: `${PLURAL}.${group}`, body: { spec: { conversion: strategy } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
  const api = config.makeApiClient(AdmissionregistrationV1Api)
  const name = `${PLURAL}.${group}`
  const hook = (path: string, ...operations: string[]) => ({
    ...{ name: `${path.slice(1)}.${group}`, clientConfig: client(path), sideEffects: 'None', admissionReviewVersions: ['v1'] },
    rules: [{ apiGroups: [group], apiVersions: [VERSION], resources: [PLURAL], operations }],
  })
  const mutating = { metadata: { name }, webhooks: [hook('/mutate', 'CREATE', 'UPDATE')] }
  const validating = { metadata: { name }, webhooks: [hook('/validate', 'CREATE', 'UPDATE', 'DELETE')] }
  await ignoringExistence(api.createMutatingWebhookConfiguration({ body: mutating }), async () => {
    const { metadata } = await api.readMutatingWebhookConfiguration({ name })
    await api.replaceMutatingWebhookConfiguration({ name, body: { ...mutating, ...(metadata ? { metadata } : {}) } })
  })
  await ignoringExistence(api.createValidatingWebhookConfiguration({ body: validating }), async () => {
    const { metadata } = await api.readValidatingWebhookConfiguration({ name })
    await api.replaceValidatingWebhookConfiguration({ name, body: { ...validating, ...(metadata ? { metadata } : {}) } })
  })
}

async function ignoringExistence(creation: Promise<unknown>, otherwise: () => Promise<void>): Promise<void> {
  try {
    await creation
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== 409) throw error
    await otherwise()
  }
}
