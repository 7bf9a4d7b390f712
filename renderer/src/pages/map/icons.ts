import type { IconName } from '../../ui/icons.ts'

const ICONS: Readonly<Record<string, IconName>> = {
  Ingress: 'ingress',
  Service: 'service',
  Deployment: 'deployment',
  ReplicaSet: 'replicaset',
  StatefulSet: 'statefulset',
  DaemonSet: 'daemonset',
  Job: 'job',
  CronJob: 'cronjob',
  Pod: 'pod',
  Node: 'node',
  ConfigMap: 'configmap',
  Secret: 'secret',
  PersistentVolumeClaim: 'claim',
}

export const iconOf = (kind: string): IconName => ICONS[kind] ?? 'kinds'
