/** Probes and lifecycle handlers. */
import { type FieldError, forbiddenField, invalid, required as requiredError } from '../../../apimachinery/field.ts';
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  HTTPHeader,
  Lifecycle,
  LifecycleHandler,
  Probe,
  SleepAction,
  TCPSocketAction,
} from '../../../generated/types/core.v1.ts';
import { httpHeaderName, port, portOrName } from '../../validation/formats.ts';
import { fields, nonNegative, oneOf, positive, present, type Rule, required } from '../../validation/rules.ts';

const headers: Rule<readonly HTTPHeader[] | undefined> = (list, path, errors) => {
  for (const header of list ?? []) httpHeaderName(header.name, path, errors);
};

const HANDLERS = {
  exec: fields<ExecAction>({ command: required() }),
  httpGet: fields<HTTPGetAction>({
    path: required(),
    port: portOrName,
    scheme: oneOf('HTTP', 'HTTPS'),
    httpHeaders: headers,
  }),
  tcpSocket: fields<TCPSocketAction>({ port: portOrName }),
  grpc: fields<GRPCAction>({ port }),
  sleep: fields<SleepAction>({ seconds: nonNegative }),
};

type HandlerName = keyof typeof HANDLERS;

function handler(names: readonly HandlerName[]): Rule<object> {
  return (action, path, errors) => {
    const actions = action as Record<HandlerName, object | undefined>;
    let seen = false;
    for (const name of names) {
      const value = actions[name];
      if (value === undefined) continue;
      const at = `${path}.${name}`;
      if (seen) errors.push(forbiddenField(at, 'may not specify more than 1 handler type'));
      else (HANDLERS[name] as Rule<object>)(value, at, errors);
      seen = true;
    }
    if (!seen) errors.push(requiredError(path, 'must specify a handler type'));
  };
}

const probeHandler = handler(['exec', 'httpGet', 'tcpSocket', 'grpc']);
const lifecycleHandler = handler(['exec', 'httpGet', 'tcpSocket', 'sleep']) as Rule<LifecycleHandler>;
const numbers = fields<Probe>({
  initialDelaySeconds: nonNegative,
  timeoutSeconds: nonNegative,
  periodSeconds: nonNegative,
  successThreshold: nonNegative,
  failureThreshold: nonNegative,
  terminationGracePeriodSeconds: present(positive),
});

const probe: Rule<Probe> = (value, path, errors) => {
  probeHandler(value, path, errors);
  numbers(value, path, errors);
};

/** Liveness and startup probes succeed at once. */
export const onceProbe: Rule<Probe | undefined> = present((value: Probe, path: string, errors: FieldError[]) => {
  probe(value, path, errors);
  if (value.successThreshold !== 1)
    errors.push(invalid(`${path}.successThreshold`, value.successThreshold ?? 0, 'must be 1'));
});

/** Readiness probes never end the container. */
export const readinessProbe: Rule<Probe | undefined> = present((value: Probe, path: string, errors: FieldError[]) => {
  probe(value, path, errors);
  if (value.terminationGracePeriodSeconds !== undefined) {
    const detail = 'must not be set for readinessProbes';
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, value.terminationGracePeriodSeconds, detail));
  }
});

/** `lifecycle` of a container. */
export const lifecycle: Rule<Lifecycle | undefined> = present(
  fields<Lifecycle>({ postStart: present(lifecycleHandler), preStop: present(lifecycleHandler) }),
);
