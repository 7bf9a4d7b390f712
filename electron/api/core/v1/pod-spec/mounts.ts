/** Checks of what containers mount. Source: kubernetes `core/validation`. */
import { forbidden, invalid, notFound, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import type { Volume, VolumeDevice, VolumeMount } from '../types.gen.ts'
import { localDescendingPath, noBacksteps } from './paths.ts'
import type { AnyContainer } from './visit.ts'

/** Volumes of the pod that are valid themselves, by name. */
export type Volumes = ReadonlyMap<string, Volume>

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible']

export function validateVolumeMounts(container: AnyContainer, volumes: Volumes, field: string): FieldError[] {
  const devices = container.volumeDevices ?? []
  const seen = new Set<string>()
  return (container.volumeMounts ?? []).flatMap((mount, i) => {
    const at = `${field}[${i}]`
    const { name, mountPath, subPath, subPathExpr, mountPropagation } = mount
    const out: FieldError[] = []
    if (!name) out.push(required(`${at}.name`))
    if (!volumes.has(name)) out.push(notFound(`${at}.name`, name))
    if (!mountPath) out.push(required(`${at}.mountPath`))
    if (seen.has(mountPath)) out.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'))
    seen.add(mountPath)
    if (devices.some((device) => device.name === name)) out.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'))
    if (devices.some((device) => device.devicePath === mountPath)) {
      out.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'))
    }
    if (subPath) out.push(...localDescendingPath(subPath, `${field}.subPath`))
    if (subPathExpr) {
      if (subPath) out.push(invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      out.push(...localDescendingPath(subPathExpr, `${field}.subPathExpr`))
    }
    if (mountPropagation) out.push(...validatePropagation(mountPropagation, container, `${field}.mountPropagation`))
    return [...out, ...validateRecursiveReadOnly(mount, `${field}.recursiveReadOnly`)]
  })
}

function validatePropagation(propagation: string, container: AnyContainer, field: string): FieldError[] {
  const out = PROPAGATIONS.includes(propagation) ? [] : [notSupported(field, propagation, PROPAGATIONS)]
  if (propagation === 'Bidirectional' && !container.securityContext?.privileged) {
    out.push(forbidden(field, 'Bidirectional mount propagation is available only to privileged containers'))
  }
  return out
}

function validateRecursiveReadOnly({ recursiveReadOnly, readOnly, mountPropagation }: VolumeMount, field: string): FieldError[] {
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return []
  if (!RECURSIVE_READ_ONLY.includes(recursiveReadOnly)) return [notSupported(field, recursiveReadOnly, RECURSIVE_READ_ONLY)]
  const out = readOnly ? [] : [forbidden(field, 'may only be specified when readOnly is true')]
  if (mountPropagation && mountPropagation !== 'None') {
    out.push(forbidden(field, 'may only be specified when mountPropagation is None or not specified'))
  }
  return out
}

export function validateVolumeDevices(container: AnyContainer, volumes: Volumes, field: string): FieldError[] {
  const mounts = container.volumeMounts ?? []
  const names = new Set<string>()
  const paths = new Set<string>()
  return (container.volumeDevices ?? []).flatMap((device, i) => {
    const out = validateDevice(device, volumes, mounts, { names, paths }, `${field}[${i}]`)
    if (!device.devicePath || !noBacksteps(device.devicePath, '').length) paths.add(device.devicePath)
    if (device.name) names.add(device.name)
    return out
  })
}

function validateDevice(
  { name, devicePath }: VolumeDevice,
  volumes: Volumes,
  mounts: readonly VolumeMount[],
  seen: { names: ReadonlySet<string>; paths: ReadonlySet<string> },
  at: string,
): FieldError[] {
  const volume = volumes.get(name)
  const out: FieldError[] = []
  if (!name) out.push(required(`${at}.name`))
  if (seen.names.has(name)) out.push(invalid(`${at}.name`, name, 'must be unique'))
  if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
    out.push(invalid(`${at}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'))
  }
  if (!volume) out.push(notFound(`${at}.name`, name))
  if (!devicePath) out.push(required(`${at}.devicePath`))
  if (seen.paths.has(devicePath)) out.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'))
  if (devicePath && noBacksteps(devicePath, '').length) {
    out.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"))
  }
  if (mounts.some((mount) => mount.name === name)) out.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'))
  if (mounts.some((mount) => mount.mountPath === devicePath)) {
    out.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'))
  }
  return out
}
