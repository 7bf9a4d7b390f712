/** Checks of environment variables and where their values come from. Source: kubernetes `core/validation`. */
import { invalid, invalidEach, notFound, required, type FieldError } from '../../../values/field-error.ts'
import { configMapKey, dns1123Label, envVarName, nameIsDnsSubdomain } from '../../../values/names.ts'
import type { EnvFromSource, EnvVar, EnvVarSource, FileKeySelector, PodSpec } from '../types.gen.ts'
import { ENV_FIELDS, validateFieldSelector, validateResourceSelector } from './downward.ts'
import { noBacksteps } from './paths.ts'
import { containersOf } from './visit.ts'

export function validateEnv(variables: readonly EnvVar[], field: string): FieldError[] {
  return variables.flatMap((variable, i) => {
    const at = `${field}[${i}]`
    const name = variable.name ? invalidEach(`${at}.name`, variable.name, envVarName(variable.name)) : [required(`${at}.name`)]
    return [...name, ...(variable.valueFrom ? validateSource(variable.valueFrom, variable.value, `${at}.valueFrom`) : [])]
  })
}

function validateSource(source: EnvVarSource, value: string | undefined, field: string): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source
  const out: FieldError[] = []
  if (fieldRef) out.push(...validateFieldSelector(fieldRef, ENV_FIELDS, `${field}.fieldRef`))
  if (resourceFieldRef) out.push(...validateResourceSelector(resourceFieldRef, `${field}.resourceFieldRef`, false))
  if (configMapKeyRef) out.push(...validateKeySelector(configMapKeyRef, `${field}.configMapKeyRef`))
  if (secretKeyRef) out.push(...validateKeySelector(secretKeyRef, `${field}.secretKeyRef`))
  if (fileKeyRef) out.push(...validateFileKeySelector(fileKeyRef, `${field}.fileKeyRef`))
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length
  if (sources === 0) {
    const choice = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    out.push(invalid(field, '', choice))
  } else if (value) out.push(invalid(field, '', 'may not be specified when `value` is not empty'))
  else if (sources > 1) out.push(invalid(field, '', 'may not have more than one field specified at a time'))
  return out
}

function validateKeySelector({ name, key }: { name?: string; key: string }, field: string): FieldError[] {
  const out = invalidEach(`${field}.name`, name ?? '', nameIsDnsSubdomain(name ?? ''))
  return [...out, ...(key ? invalidEach(`${field}.key`, key, configMapKey(key)) : [required(`${field}.key`)])]
}

function validateFileKeySelector({ key, volumeName, path }: FileKeySelector, field: string): FieldError[] {
  return [
    ...(key ? invalidEach(`${field}.key`, key, envVarName(key)) : [required(`${field}.key`)]),
    ...(volumeName ? invalidEach(`${field}.volumeName`, volumeName, dns1123Label(volumeName)) : [required(`${field}.volumeName`)]),
    ...(path ? noBacksteps(path, `${field}.path`) : [required(`${field}.path`)]),
  ]
}

export function validateEnvFrom(sources: readonly EnvFromSource[], field: string): FieldError[] {
  return sources.flatMap(({ prefix, configMapRef, secretRef }, i) => {
    const at = `${field}[${i}]`
    const out = prefix ? invalidEach(`${at}.prefix`, prefix, envVarName(prefix)) : []
    for (const [name, reference] of Object.entries({ configMapRef, secretRef })) {
      if (reference) out.push(...validateReferenceName(reference.name, `${at}.${name}`))
    }
    if (!configMapRef && !secretRef) out.push(invalid(field, '', 'must specify one of: `configMapRef` or `secretRef`'))
    else if (configMapRef && secretRef) out.push(invalid(field, '', 'may not have more than one field specified at a time'))
    return out
  })
}

function validateReferenceName(name: string | undefined, field: string): FieldError[] {
  return name ? invalidEach(`${field}.name`, name, nameIsDnsSubdomain(name, true)) : [required(`${field}.name`)]
}

/** Files that variables come from lie in emptyDir volumes. `field` is the path of the spec. */
export function validateFileKeyVolumes(spec: PodSpec, field: string): FieldError[] {
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]))
  return containersOf(spec, field).flatMap(({ container, field: at }) =>
    (container.env ?? []).flatMap(({ valueFrom }, i) => {
      const name = valueFrom?.fileKeyRef?.volumeName
      if (name === undefined) return []
      const path = `${at}.env[${i}].valueFrom.fileKeyRef.volumeName`
      const volume = volumes.get(name)
      if (!volume) return [notFound(path, name)]
      return volume.emptyDir ? [] : [invalid(path, name, 'referenced volume must be of type emptyDir')]
    }),
  )
}
