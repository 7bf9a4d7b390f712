/** One metric in both shapes. Source: kubernetes `apis/autoscaling/v1/conversion.go`. */
import type { LabelSelector } from '../../meta/v1/types.gen.ts'
import type * as v2 from '../v2/types.gen.ts'
import type * as v1 from './types.gen.ts'

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>

const targetType = (target: { averageUtilization?: number | undefined; averageValue?: string | undefined }) =>
  target.averageUtilization !== undefined ? 'Utilization' : target.averageValue !== undefined ? 'AverageValue' : 'Value'

function target(value: {
  averageUtilization?: number | undefined
  averageValue?: string | undefined
  value?: string | undefined
}): v2.MetricTarget {
  return { type: targetType(value), ...defined(value) }
}

const identifier = (name: string, selector: LabelSelector | undefined): v2.MetricIdentifier => ({ name, ...defined({ selector }) })

export function metricFromV1(metric: v1.MetricSpec): v2.MetricSpec {
  const { type, containerResource, external, object, pods, resource } = metric
  return {
    type,
    ...defined({
      resource: resource && { name: resource.name, target: resourceTarget(resource) },
      containerResource: containerResource && {
        name: containerResource.name,
        container: containerResource.container,
        target: resourceTarget(containerResource),
      },
      pods: pods && { metric: identifier(pods.metricName, pods.selector), target: target({ averageValue: pods.targetAverageValue }) },
      object: object && {
        describedObject: object.target,
        metric: identifier(object.metricName, object.selector),
        target: target(object.averageValue === undefined ? { value: object.targetValue } : { averageValue: object.averageValue }),
      },
      external: external && {
        metric: identifier(external.metricName, external.metricSelector),
        target: target({ averageValue: external.targetAverageValue, value: external.targetValue }),
      },
    }),
  }
}

function resourceTarget(source: { targetAverageUtilization?: number; targetAverageValue?: string }): v2.MetricTarget {
  return target({ averageUtilization: source.targetAverageUtilization, averageValue: source.targetAverageValue })
}

export function metricToV1(metric: v2.MetricSpec): v1.MetricSpec {
  const { type, containerResource, external, object, pods, resource } = metric
  const shares = ({ averageUtilization, averageValue }: v2.MetricTarget) =>
    defined({ targetAverageUtilization: averageUtilization, targetAverageValue: averageValue })
  return {
    type: type as v1.MetricSpec['type'],
    ...defined({
      resource: resource && { name: resource.name, ...shares(resource.target) },
      containerResource: containerResource && {
        name: containerResource.name,
        container: containerResource.container,
        ...shares(containerResource.target),
      },
      pods: pods && {
        metricName: pods.metric.name,
        targetAverageValue: pods.target.averageValue ?? '0',
        ...defined({ selector: pods.metric.selector }),
      },
      object: object && {
        target: object.describedObject,
        metricName: object.metric.name,
        targetValue: object.target.value ?? '0',
        ...defined({ averageValue: object.target.averageValue, selector: object.metric.selector }),
      },
      external: external && {
        metricName: external.metric.name,
        ...defined({
          metricSelector: external.metric.selector,
          targetValue: external.target.value,
          targetAverageValue: external.target.averageValue,
        }),
      },
    }),
  }
}

export function statusFromV1(status: v1.MetricStatus): v2.MetricStatus {
  const { type, containerResource, external, object, pods, resource } = status
  const shares = (source: { currentAverageUtilization?: number; currentAverageValue: string }) =>
    defined({ averageUtilization: source.currentAverageUtilization, averageValue: source.currentAverageValue })
  return {
    type,
    ...defined({
      resource: resource && { name: resource.name, current: shares(resource) },
      containerResource: containerResource && {
        name: containerResource.name,
        container: containerResource.container,
        current: shares(containerResource),
      },
      pods: pods && { metric: identifier(pods.metricName, pods.selector), current: { averageValue: pods.currentAverageValue } },
      object: object && {
        describedObject: object.target,
        metric: identifier(object.metricName, object.selector),
        current: defined({ value: object.currentValue, averageValue: object.averageValue }),
      },
      external: external && {
        metric: identifier(external.metricName, external.metricSelector),
        current: defined({ value: external.currentValue, averageValue: external.currentAverageValue }),
      },
    }),
  }
}

export function statusToV1(status: v2.MetricStatus): v1.MetricStatus {
  const { type, containerResource, external, object, pods, resource } = status
  const shares = ({ averageUtilization, averageValue }: v2.MetricValueStatus) => ({
    ...defined({ currentAverageUtilization: averageUtilization }),
    currentAverageValue: averageValue ?? '0',
  })
  return {
    type: type as v1.MetricStatus['type'],
    ...defined({
      resource: resource && { name: resource.name, ...shares(resource.current) },
      containerResource: containerResource && {
        name: containerResource.name,
        container: containerResource.container,
        ...shares(containerResource.current),
      },
      pods: pods && {
        metricName: pods.metric.name,
        currentAverageValue: pods.current.averageValue ?? '0',
        ...defined({ selector: pods.metric.selector }),
      },
      object: object && {
        target: object.describedObject,
        metricName: object.metric.name,
        currentValue: object.current.value ?? '0',
        ...defined({ averageValue: object.current.averageValue, selector: object.metric.selector }),
      },
      external: external && {
        metricName: external.metric.name,
        currentValue: external.current.value ?? '0',
        ...defined({ metricSelector: external.metric.selector, currentAverageValue: external.current.averageValue }),
      },
    }),
  }
}
