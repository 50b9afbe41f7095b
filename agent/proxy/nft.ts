/** nftables: the frame that never changes, and scripts that bring what changes from one state to the next. */
import { TABLE } from '../network/names.ts';
import { MASQUERADE, type Ruleset } from './rules.ts';

/** The table with all that does not depend on Services; whatever was there before is replaced. */
export function frame(podCidr: string, clusterCidr: string): string {
  const pods = podCidr === '' ? '' : `    ip saddr ${podCidr} ip daddr != ${clusterCidr} masquerade\n`;
  return `table ip ${TABLE} {}
delete table ip ${TABLE}
table ip ${TABLE} {
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  map node-ports { type inet_proto . inet_service : verdict; }
  map no-endpoints { type ipv4_addr . inet_proto . inet_service : verdict; }
  map no-endpoint-ports { type inet_proto . inet_service : verdict; }
  map source-ranges { type ipv4_addr . inet_proto . inet_service : verdict; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain find {
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @node-ports
  }
  chain limit-sources {
    type filter hook prerouting priority dstnat - 10; policy accept;
    ct state new ip daddr . meta l4proto . th dport vmap @source-ranges
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump find
  }
  chain output {
    type nat hook output priority -100; policy accept;
    jump find
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark and ${MASQUERADE} == ${MASQUERADE} masquerade
    ct status dnat ip saddr . ip daddr @hairpin masquerade
${pods}  }
  chain refuse-unserved {
    ip daddr . meta l4proto . th dport vmap @no-endpoints
    fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @no-endpoint-ports
  }
  chain filter-input {
    type filter hook input priority filter; policy accept;
    ct state new jump refuse-unserved
  }
  chain filter-forward {
    type filter hook forward priority filter; policy accept;
    ct state new jump refuse-unserved
  }
  chain filter-output {
    type filter hook output priority filter; policy accept;
    ct state new jump refuse-unserved
  }
}
`;
}

/** No Services at all. */
export function emptyRuleset(): Ruleset {
  return { chains: new Map(), sets: new Map(), elements: new Map(), udp: new Set() };
}

/** The script that makes `after` of `before`, in one transaction; empty when they are the same. */
export function difference(before: Ruleset, after: Ruleset): string {
  const lines: string[] = [];
  const add = (line: string): void => {
    lines.push(line);
  };
  for (const [name, definition] of after.sets) {
    if (before.sets.get(name) !== definition) add(`add set ip ${TABLE} ${name} { ${definition} }`);
  }
  // Chains first without rules: rules of one may go to another.
  const changed = [...after.chains].filter(([name, rules]) => before.chains.get(name)?.join('\n') !== rules.join('\n'));
  for (const [name] of changed) {
    add(`add chain ip ${TABLE} ${name}`);
    if (before.chains.has(name)) add(`flush chain ip ${TABLE} ${name}`);
  }
  for (const [name, rules] of changed) for (const rule of rules) add(`add rule ip ${TABLE} ${name} ${rule}`);
  for (const name of new Set([...before.elements.keys(), ...after.elements.keys()])) {
    elementDifference(name, before.elements.get(name) ?? new Map(), after.elements.get(name) ?? new Map(), add);
  }
  const gone = [...before.chains.keys()].filter((name) => !after.chains.has(name));
  for (const name of gone) add(`flush chain ip ${TABLE} ${name}`);
  for (const name of gone) add(`delete chain ip ${TABLE} ${name}`);
  for (const name of before.sets.keys()) if (!after.sets.has(name)) add(`delete set ip ${TABLE} ${name}`);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function elementDifference(
  name: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  add: (line: string) => void,
): void {
  const written = (element: string, value: string): string => (value === '' ? element : `${element} : ${value}`);
  const removed = [...before].filter(([element, value]) => after.get(element) !== value).map(([element]) => element);
  const added = [...after].filter(([element, value]) => before.get(element) !== value).map(([e, v]) => written(e, v));
  if (removed.length > 0) add(`delete element ip ${TABLE} ${name} { ${removed.join(', ')} }`);
  if (added.length > 0) add(`add element ip ${TABLE} ${name} { ${added.join(', ')} }`);
}
