/** The status of Services: where a load balancer takes their traffic (upstream's `ValidateServiceStatusUpdate`). */
import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../apimachinery/field.ts';
import { ipFamily } from '../../apimachinery/networks.ts';
import type { Service } from '../../generated/types/core.v1.ts';
import type { SubresourceStrategy } from '../resource.ts';
import { keepAllButStatus } from '../strategies.ts';
import { dns1123Subdomain } from '../validation/formats.ts';
import { strictIp } from '../validation/networks.ts';

const MODES = ['Proxy', 'VIP'];

/** How the status of Services is changed. */
export const serviceStatus: SubresourceStrategy<Service> = {
  ...keepAllButStatus<Service>(),
  validateUpdate({ spec, status }, old) {
    const ingress = status?.loadBalancer?.ingress ?? [];
    const at = 'status.loadBalancer.ingress';
    if (spec?.type !== 'LoadBalancer' && ingress.length > 0) {
      return [forbiddenField(at, "may only be used when `spec.type` is 'LoadBalancer'")];
    }
    const known = new Set(old.status?.loadBalancer?.ingress?.map(({ ip }) => ip));
    const errors: FieldError[] = [];
    ingress.forEach(({ ip = '', ipMode, hostname = '' }, index) => {
      const path = `${at}[${index}]`;
      if (ip !== '' && !known.has(ip)) strictIp(ip, `${path}.ip`, errors);
      if (ipMode === undefined) {
        if (ip !== '') errors.push(required(`${path}.ipMode`, 'must be specified when `ip` is set'));
      } else if (ip === '') {
        errors.push(forbiddenField(`${path}.ipMode`, 'may not be specified when `ip` is not set'));
      } else if (!MODES.includes(ipMode)) errors.push(notSupported(`${path}.ipMode`, ipMode, MODES));
      if (hostname === '') return;
      dns1123Subdomain(hostname, `${path}.hostname`, errors);
      if (ipFamily(hostname) !== 0) {
        errors.push(invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'));
      }
    });
    return errors;
  },
};
