import { MAX_SCORE, type Plugin } from '../framework/plugin.ts';

const MIB = 1024 * 1024;
const MIN = 23 * MIB;
const MAX_PER_CONTAINER = 1000 * MIB;

/** ImageLocality: a node that has the images is better, the more so the larger they are and the more nodes have them. */
export const imageLocality: Plugin = {
  name: 'ImageLocality',
  score({ pod }, node, nodes) {
    const containers = pod.spec?.containers ?? [];
    let sum = 0;
    for (const container of containers) {
      const name = normalized(container.image ?? '');
      const size = node.images.get(name);
      if (size === undefined) continue;
      const spread = nodes.filter((other) => other.images.has(name)).length / nodes.length;
      sum += Math.floor(size * spread);
    }
    const max = MAX_PER_CONTAINER * containers.length;
    return Math.floor((MAX_SCORE * (Math.min(Math.max(sum, MIN), max) - MIN)) / (max - MIN));
  },
};

/** A name without a tag means `:latest`. */
function normalized(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
