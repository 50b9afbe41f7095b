import type { Pod } from '../../generated/types/core.v1.ts';
import { MAX_SCORE, type PluginFactory } from '../framework/plugin.ts';

const MIB = 1024 * 1024;
const MIN = 23 * MIB;
const MAX_PER_IMAGE = 1000 * MIB;

/** ImageLocality: a node that has the images is better, the more so the larger they are and the more nodes have them. */
export const imageLocality: PluginFactory = ({ snapshot }) => ({
  name: 'ImageLocality',
  preScore(_, { pod }) {
    return imagesOf(pod).some((image) => snapshot.imageNodes(image) > 0) ? undefined : 'skip';
  },
  score(_, { pod }, { facts }) {
    const images = imagesOf(pod);
    const nodes = snapshot.all().length;
    let sum = 0;
    for (const image of images) {
      const size = facts.images.get(image);
      if (size !== undefined) sum += Math.floor(size * (snapshot.imageNodes(image) / nodes));
    }
    const max = MAX_PER_IMAGE * images.length;
    return Math.floor((MAX_SCORE * (Math.min(Math.max(sum, MIN), max) - MIN)) / (max - MIN));
  },
});

/** Images of the containers and of image volumes, by their full names. */
function imagesOf({ spec }: Pod): string[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const volumes = (spec?.volumes ?? []).flatMap((volume) => volume.image?.reference ?? []);
  return [...containers.map((container) => container.image ?? ''), ...volumes].map(normalized);
}

/** A name without a tag means `:latest`. */
function normalized(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
